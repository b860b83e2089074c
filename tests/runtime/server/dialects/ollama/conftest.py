"""Ollama's client of the application with the real model."""

from collections.abc import Iterator

import ollama
import pytest


@pytest.fixture(scope="session")
def client(chat_url: str) -> Iterator[ollama.Client]:
    """The client."""
    with ollama.Client(chat_url) as client:
        yield client
