"""The application with the real model at a real port, and Hugging Face's client talking to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import InferenceClient

from tests.runtime.server.in_process import serving


@pytest.fixture(scope="session")
def url(binding: None, gguf: Path) -> Iterator[str]:
    """The address of an application that serves the real model."""
    with serving(gguf) as url:
        yield url


@pytest.fixture(scope="session")
def hf(url: str) -> InferenceClient:
    """Hugging Face's client of it."""
    return InferenceClient(model=url, token="none")
