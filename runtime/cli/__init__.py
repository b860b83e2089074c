"""The runtime's commands, one module each."""
