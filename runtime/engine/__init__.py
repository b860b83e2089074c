"""Continuous batching over one llama.cpp context; knows no HTTP."""
