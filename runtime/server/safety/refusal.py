"""The answer to a request that no route gets to see."""

from collections.abc import Callable, Sequence

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.server.errors import RefusedError, error_body_of
from runtime.server.json import encode


class Refusal(msgspec.Struct, frozen=True):
    """An error answer in the form of the dialect that was spoken; an ASGI application.

    Args:
        code: The HTTP status.
        kind: llama-server's name for this kind of error.
        message: One sentence for the client.
        headers: What the answer carries besides its own.
    """

    code: int
    kind: str
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def body(self, path: str = "") -> bytes:
        """Return the JSON for a path; without one, in llama-server's and OpenAI's form."""
        return encode(error_body_of(path)(RefusedError(self.code, self.kind, self.message)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        body = self.body(scope["path"])
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.code, "headers": headers})
        await send({"type": "http.response.body", "body": body})


Check = Callable[[Scope], Refusal | None]


class Guard:
    """Middleware that lets checks look at a request's head before the application does.

    Args:
        app: What answers requests that every check lets pass.
        checks: Asked in this order; the first refusal is the answer.
    """

    def __init__(self, app: ASGIApp, checks: Sequence[Check]) -> None:
        self._app = app
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        for check in self._checks:
            if refusal := check(scope):
                return await refusal(scope, receive, send)
        return await self._app(scope, receive, send)


def header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of this name, in lower case; None where there is none."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None
