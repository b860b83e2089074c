"""Tests of the OpenAPI document and its page."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime.engine.engine import Engine
from runtime.server.app import create_app
from runtime.server.openapi import openapi
from runtime.server.routes import ENDPOINTS
from runtime.server.state import ServerState


@pytest.fixture(scope="module")
def http(engine: Engine) -> Iterator[TestClient]:
    """A client of an application that serves the real model."""
    app = create_app(ServerState(engine, "a <b> model", "", {}, 4))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_every_route_is_told(http: TestClient) -> None:
    """Each path and method of the table is in the document, under an id of its own."""
    paths = http.get("/openapi.json").json()["paths"]
    told = {(path, method.upper()) for path, operations in paths.items() for method in operations}
    assert told == {
        (path.replace(":path", ""), endpoint.method)
        for endpoint in ENDPOINTS
        for path in endpoint.paths
    }
    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere() -> None:
    """A schema that is named is there."""
    text = json.dumps(openapi())
    names = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert names
    assert names <= set(openapi()["components"]["schemas"])


def test_the_body_is_that_of_the_types() -> None:
    """The document tells the fields that a route reads, and which of them must be there."""
    schemas = openapi()["components"]["schemas"]
    assert schemas["ChatRequest"]["required"] == ["messages"]
    assert {"temperature", "tools", "response_format"} <= set(schemas["ChatRequest"]["properties"])


def test_every_integer_has_bounds() -> None:
    """A number of a thousand digits is refused where it is read, whatever field it is in."""

    def integers(schema: Any) -> Iterator[dict[str, Any]]:
        if isinstance(schema, dict):
            if schema.get("type") == "integer":
                yield schema
            for part in schema.values():
                yield from integers(part)
        elif isinstance(schema, list):
            for part in schema:
                yield from integers(part)

    found = list(integers(openapi()))
    assert found
    assert all("minimum" in schema and "maximum" in schema for schema in found)


def test_the_page_shows_the_same(http: TestClient) -> None:
    """Each path stands on the page, and the model's name is text there."""
    page = http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "a &lt;b&gt; model" in page.text
    for endpoint in ENDPOINTS:
        for path in endpoint.paths:
            assert f"<code>{path}</code>" in page.text
    assert "<code>max_completion_tokens</code>" in page.text
