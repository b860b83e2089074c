"""Tests of solofiles that get something else than their weights."""
