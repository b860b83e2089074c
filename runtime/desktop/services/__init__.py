"""Solofiles that the system starts whenever their user logs in, on each kind of system."""
