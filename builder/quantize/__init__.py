"""Quantizing: which types there are, what they cost, and the work itself in a child process."""
