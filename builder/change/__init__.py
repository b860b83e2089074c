"""Changing solofiles that are there already, without writing what stays as it is."""
