"""NVIDIA's compiler, and how the CUDA plugin is built with it."""
