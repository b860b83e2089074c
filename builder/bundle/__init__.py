"""Bundles: folders to carry, with solofiles, what checks them and what puts them together."""
