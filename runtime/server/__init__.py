"""The HTTP side: dialects, pages, start and stop; knows no llama.cpp."""
