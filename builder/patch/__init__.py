"""Patches: what a solofile has that another one lacks, as a file of its own."""
