"""Calling middleware as a server does, without one."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Answer:
    """What an application answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The error object."""
        told: dict[str, Any] = msgspec.json.decode(self.body)["error"]
        return told


def scope_of(method: str = "GET", path: str = "/v1/models", **headers: str) -> Scope:
    """Return the head of a request; underscores in headers' names stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 5000),
    }


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the request's body."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(body)(scope, receive, send)


def ask(
    app: ASGIApp, method: str = "GET", path: str = "/v1/models", *parts: bytes, **headers: str
) -> Answer:
    """Send a request, its body in parts, and return the answer."""
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    async def answer() -> None:
        await app(scope_of(method, path, **headers), receive, send)

    asyncio.run(answer())
    return Answer(sent[0]["status"], _headers(sent[0]), b"".join(m["body"] for m in sent[1:]))


def _headers(start: Mapping[str, Any]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in start["headers"]}
