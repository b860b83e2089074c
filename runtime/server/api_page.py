"""`/docs`: the OpenAPI document for people."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.openapi import openapi, tag_of
from runtime.server.pages import page
from runtime.server.routes import ENDPOINTS, Endpoint

NAMES = {
    "openai": "OpenAI",
    "llama_server": "llama-server",
    "ollama": "Ollama",
    "anthropic": "Anthropic",
    "tgi": "text-generation-inference",
    "server": "This server",
}


async def api_page(request: Request) -> Response:
    """Answer `GET /docs`."""
    dialects: dict[str, list[dict[str, Any]]] = {dialect: [] for dialect in NAMES}
    for endpoint in ENDPOINTS:
        dialects[tag_of(endpoint)].append(_operation(endpoint))
    return page(request, "api.html", dialects=dialects, names=NAMES)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "method": endpoint.method,
        "paths": endpoint.paths,
        "summary": endpoint.summary,
        "fields": _fields(endpoint),
    }


def _fields(endpoint: Endpoint) -> list[dict[str, Any]]:
    operation = openapi()["paths"][endpoint.paths[0]][endpoint.method.lower()]
    match operation:
        case {"requestBody": {"content": {"application/json": {"schema": {"$ref": reference}}}}}:
            schema = openapi()["components"]["schemas"][_name(reference)]
        case _:
            return []
    return [
        {"name": name, "type": _type(field), "is_required": name in schema.get("required", [])}
        for name, field in schema.get("properties", {}).items()
    ]


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _type(schema: dict[str, Any]) -> str:
    """Return a schema in few words."""
    match schema:
        case {"$ref": reference}:
            return _name(reference)
        case {"anyOf": schemas}:
            kinds = dict.fromkeys(_type(one) for one in schemas if one.get("type") != "null")
            return " or ".join(kinds)
        case {"enum": values}:
            return " or ".join(f'"{value}"' for value in values if value is not None)
        case {"type": "array", "items": items} if items:
            return f"[{_type(items)}]"
        case {"type": kind}:
            return str(kind)
    return "any"
