"""Recipes: builds that are a committed file."""
