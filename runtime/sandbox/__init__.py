"""What a serving process gives up, so that whoever takes it over gains little (Linux)."""
