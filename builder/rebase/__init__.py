"""Solofiles that get another runtime, prompt, page or adapter, and keep their weights."""
