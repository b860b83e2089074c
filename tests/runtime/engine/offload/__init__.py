"""Tests of what goes to GPUs."""
