"""What llama-server has beside OpenAI's API."""
