"""The application with the real model, at a real port, for clients of several dialects."""

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.server.in_process import serving

# With the one in its template the model answers in French.
SYSTEM_PROMPT = "You are a helpful assistant."


@pytest.fixture(scope="session")
def chat_url(binding: None, gguf: Path) -> Iterator[str]:
    """The application's address, without a slash at the end."""
    with serving(gguf, max_tokens=400, system_prompt=SYSTEM_PROMPT) as url:
        yield url


def num_running(url: str) -> float:
    """Return how many requests the engine works on."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as response:
        lines = response.read().decode().splitlines()
    [value] = [line for line in lines if line.startswith("llamacpp:requests_processing ")]
    return float(value.split()[1])


def wait_until_idle(url: str) -> None:
    """Wait until the engine works on nothing; it has to stop at the next batch."""
    deadline = time.monotonic() + 5
    while num_running(url):
        assert time.monotonic() < deadline, "the engine goes on"
        time.sleep(0.02)
