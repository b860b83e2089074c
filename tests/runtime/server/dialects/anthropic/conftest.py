"""Anthropic's client of the application with the real model."""

from collections.abc import Iterator

import anthropic
import pytest


@pytest.fixture(scope="session")
def client(chat_url: str) -> Iterator[anthropic.Anthropic]:
    """The client."""
    with anthropic.Anthropic(base_url=chat_url, api_key="none", max_retries=0) as client:
        yield client
