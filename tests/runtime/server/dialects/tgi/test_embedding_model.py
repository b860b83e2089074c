"""Tests of text-generation-inference's routes where the model generates no text."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.runtime.server.in_process import serving


@pytest.fixture(scope="module")
def url(binding: None, minilm_gguf: Path) -> Iterator[str]:
    """The address of an application that serves a model made for embeddings."""
    with serving(minilm_gguf) as url:
        yield url


@pytest.mark.parametrize("path", ["/generate", "/generate_stream", "/"])
def test_no_text_is_generated(url: str, path: str) -> None:
    """It is a 422 that says so."""
    response = httpx.post(url + path, json={"inputs": "Hello"})
    told = response.json()
    assert (response.status_code, told["error_type"]) == (422, "validation")
    assert "embeddings" in told["error"]


def test_info(url: str) -> None:
    """It says what the model is for."""
    assert httpx.get(f"{url}/info").json()["model_pipeline_tag"] == "feature-extraction"
