"""Tests of builder.native."""
