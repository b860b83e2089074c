"""Side-by-side measurements against the programs people compare us with; ratios, not seconds."""
