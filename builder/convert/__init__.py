"""From a checkpoint of Hugging Face's to a GGUF, by llama.cpp's own converter."""
