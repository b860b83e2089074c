"""Tests of changing solofiles that are there already."""
