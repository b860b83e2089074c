"""Tests of builder.macos."""
