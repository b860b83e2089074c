"""Ollama's client of the application with the real model, at a real port."""

from collections.abc import Iterator
from pathlib import Path

import ollama
import pytest

from tests.runtime.server.in_process import serving

# With the one in its template the model answers in French.
SYSTEM_PROMPT = "You are a helpful assistant."


@pytest.fixture(scope="session")
def ollama_url(binding: None, gguf: Path) -> Iterator[str]:
    """The application's address."""
    with serving(gguf, max_tokens=400, system_prompt=SYSTEM_PROMPT) as url:
        yield url


@pytest.fixture(scope="session")
def client(ollama_url: str) -> Iterator[ollama.Client]:
    """The client."""
    with ollama.Client(ollama_url) as client:
        yield client
