"""GGUF files: their headers, what these tell of a model, and parts made one."""
