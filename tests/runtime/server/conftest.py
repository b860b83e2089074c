"""The application with the real model, in this process, and OpenAI's client talking to it."""

from collections.abc import Iterator

import openai
import pytest
from starlette.testclient import TestClient

from runtime.engine.engine import Engine
from runtime.server.app import create_app
from runtime.server.state import ServerState


@pytest.fixture(scope="session")
def http(engine: Engine) -> Iterator[TestClient]:
    """A plain client of an application that serves the real model."""
    app = create_app(ServerState(engine, "model", "", {}, 100))
    with TestClient(app, raise_server_exceptions=False) as http_client:
        yield http_client


@pytest.fixture(scope="session")
def client(http: TestClient) -> openai.OpenAI:
    """OpenAI's client of the same."""
    return openai.OpenAI(
        base_url="http://testserver/v1", api_key="none", http_client=http, max_retries=0
    )
