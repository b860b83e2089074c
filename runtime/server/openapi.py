"""`/openapi.json`: every route and the body it takes, as the types of the bodies tell."""

import functools
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime import __version__
from runtime.server.json import JSONResponse
from runtime.server.routes import ENDPOINTS, Endpoint

_PARAMETER = re.compile(r"\{(\w+)\}")
_REFERENCE = "#/components/schemas/{name}"
_STREAM_TYPES = {"ollama": "application/x-ndjson"}
_ERRORS = {
    "4XX": "The request cannot be answered; the body says why, in the form of its dialect",
    "500": "The server failed; its log says why",
    "501": "The model or this server does not do that",
    "503": "The model is loading, or too many requests wait",
}


async def document(_request: Request) -> Response:
    """Answer `GET /openapi.json`."""
    return JSONResponse(openapi())


@functools.cache
def openapi() -> dict[str, Any]:
    """Return the document, in OpenAPI 3.1."""
    bodies = [endpoint.body for endpoint in ENDPOINTS if endpoint.body is not None]
    schemas, components = msgspec.json.schema_components(bodies, ref_template=_REFERENCE)
    schema_of = dict(zip(map(id, bodies), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        schema = None if endpoint.body is None else schema_of[id(endpoint.body)]
        for path in endpoint.paths:
            operations = paths.setdefault(_PARAMETER.sub(r"{\1}", path), {})
            operations[endpoint.method.lower()] = _operation(endpoint, path, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": "solofile", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        },
        # Keys are asked for only where the server was started with some.
        "security": [{}, {"bearer": []}, {"key": []}],
    }


def _operation(endpoint: Endpoint, path: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{path}").strip("_"),
        "summary": endpoint.summary,
        "tags": [tag_of(endpoint)],
        "responses": {
            "200": {
                "description": endpoint.summary,
                "content": {kind: {} for kind in _answer_types(endpoint)},
            }
        }
        | {code: {"description": text} for code, text in _ERRORS.items()},
    }
    if parameters := _PARAMETER.findall(path):
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in parameters
        ]
    if schema is not None:
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def tag_of(endpoint: Endpoint) -> str:
    """Return the dialect that an endpoint is of; `server` for those of no dialect."""
    parts = endpoint.module.split(".")
    return parts[1] if parts[0] == "dialects" else "server"


def _answer_types(endpoint: Endpoint) -> Iterable[str]:
    if endpoint.function == "metrics":
        return ["text/plain"]
    if endpoint.function == "api_page":
        return ["text/html"]
    fields = getattr(endpoint.body, "__struct_fields__", ())
    stream = [_STREAM_TYPES.get(tag_of(endpoint), "text/event-stream")]
    return ["application/json", *(stream if "stream" in fields else [])]
