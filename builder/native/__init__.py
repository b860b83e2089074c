"""What is compiled: llama.cpp at its pin, and the tools that compile it."""
