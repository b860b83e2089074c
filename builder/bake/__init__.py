"""Prompts that are computed while a solofile is built, so that its first answer waits for none."""
