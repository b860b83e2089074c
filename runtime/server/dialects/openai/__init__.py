"""OpenAI's API, with llama-server's additions."""
