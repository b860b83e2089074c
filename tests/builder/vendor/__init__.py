"""Tests of builder.vendor."""
