"""Everything that is frozen into a solofile; never imports the builder."""

__version__ = "0.1.0"
