"""Turning chat messages into the prompt a model was trained on."""
