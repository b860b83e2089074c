"""The conversation in a terminal: reading messages, showing answers, commands that begin with /."""
