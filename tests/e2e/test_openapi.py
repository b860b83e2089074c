"""Every route of a real solofile, asked by schemathesis for whatever its document allows."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from runtime.server.openapi import openapi
from runtime.server.routes import ENDPOINTS
from tests.solofile import ServedSolofile

TIMEOUT_S = 60
# Asked for what it cannot do, or too much at once, a server says so.
SOUND_FAILURES = (501, 503)
SCHEMA = schemathesis.openapi.from_dict(openapi())


@pytest.fixture(scope="module")
def hurried(solofile: Path) -> Iterator[ServedSolofile]:
    """A solofile whose answers are short, since hundreds are asked for."""
    with ServedSolofile(solofile, "--port", "0", "--predict", "4", "-c", "2048") as running:
        yield running


def test_the_document_is_served(hurried: ServedSolofile) -> None:
    """What a solofile says of itself is what its types say here."""
    with urllib.request.urlopen(f"{hurried.url}/openapi.json", timeout=TIMEOUT_S) as response:
        assert set(json.load(response)["paths"]) == set(openapi()["paths"])


@pytest.mark.parametrize(
    ("method", "path"), [(one.method, path) for one in ENDPOINTS for path in one.paths]
)
def test_no_request_breaks_the_server(hurried: ServedSolofile, method: str, path: str) -> None:
    """Whatever comes is answered in time, and never with an error of the server's own."""

    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=SCHEMA[path][method].as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        response = case.call(base_url=hurried.url, timeout=TIMEOUT_S)
        assert response.status_code < 500 or response.status_code in SOUND_FAILURES, response.text
        if response.status_code >= 400 and method != "HEAD":
            assert "error" in response.json()

    ask()


def test_the_server_is_whole_afterwards(hurried: ServedSolofile) -> None:
    """Nothing runs or waits any more, and it answers."""
    assert hurried.status("/health") == 200
    metrics = hurried.metrics()
    assert metrics["llamacpp:requests_processing"] == 0
    assert metrics["llamacpp:requests_deferred"] == 0
