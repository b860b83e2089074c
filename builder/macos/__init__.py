"""What a Mac's Finder starts: an app, and a script."""
