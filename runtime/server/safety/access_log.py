"""A name for each request, and a line in the log once it is answered."""

import logging
import os
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.server.request_facts import RequestFacts, current_facts
from runtime.server.safety.refusal import header

logger = logging.getLogger(__name__)

# What a client may call its request; anything else could forge lines of the log.
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
# Asked again and again by machines; llama-server does not log them at all.
_PROBES = frozenset({"/health", "/ping", "/v1/health", "/metrics"})
_MAX_LOGGED_BYTES = 100_000


class AccessLog:
    """Middleware that names requests (`X-Request-Id`) and logs them.

    Args:
        app: What answers.
        with_bodies: Whether to log what was asked, too.
    """

    def __init__(self, app: ASGIApp, *, with_bodies: bool = False) -> None:
        self._app = app
        self._with_bodies = with_bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        started = time.perf_counter()
        facts = RequestFacts(_id(scope))
        current_facts.set(facts)
        id_header = (b"x-request-id", facts.id.encode())
        body = bytearray()

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                facts.status = message["status"]
                message["headers"] = [*message.get("headers", ()), id_header]
            else:
                facts.is_whole = not message.get("more_body")
            await send(message)

        try:
            given = _copied(receive, body) if self._with_bodies else receive
            await self._app(scope, given, send_named)
        finally:
            level = logging.DEBUG if scope["path"] in _PROBES else logging.INFO
            if logger.isEnabledFor(level):
                _log(level, scope, facts, (time.perf_counter() - started) * 1e3, bytes(body))


def _copied(receive: Receive, body: bytearray) -> Receive:
    async def receive_copied() -> Message:
        message = await receive()
        body.extend(message.get("body", b"")[: _MAX_LOGGED_BYTES - len(body)])
        return message

    return receive_copied


def _log(level: int, scope: Scope, facts: RequestFacts, ms: float, body: bytes) -> None:
    client = scope.get("client")
    fields = {
        "request_id": facts.id,
        "client": client[0] if client else "",
        "method": scope["method"],
        # Without the query; as sent, so that no line break is in it.
        "path": scope.get("raw_path", b"").decode("latin-1") or scope["path"],
        "status": facts.status,
        "is_whole": facts.is_whole,
        "ms": round(ms, 1),
    }
    if facts.prompt_tokens is not None:
        fields["prompt_tokens"] = facts.prompt_tokens
    if facts.completion_tokens is not None:
        fields["completion_tokens"] = facts.completion_tokens
    if body:
        fields["body"] = body.decode("utf-8", errors="replace")
    logger.log(level, "%s", _line(fields), extra={"fields": fields})


def _line(fields: dict[str, object]) -> str:
    tokens = [
        f"{name}={fields[name]}"
        for name in ("prompt_tokens", "completion_tokens")
        if name in fields
    ]
    parts = [
        f"{fields['client']} {fields['method']} {fields['path']} {fields['status']}",
        f"{fields['ms']} ms",
        *([] if fields["is_whole"] else ["cut off"]),
        *tokens,
        *([f"body={fields['body']}"] if "body" in fields else []),
    ]
    return ", ".join(parts)


def _id(scope: Scope) -> str:
    given = header(scope, b"x-request-id")
    return given if given and _SANE_ID.fullmatch(given) else os.urandom(12).hex()
