"""Kits: the launcher and the frozen runtime of one target, made, kept, and carried as a file."""
