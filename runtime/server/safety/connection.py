"""One connection of a client, and how long we wait for what the client owes."""

import asyncio
import sys
from enum import Enum
from typing import Any

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from runtime.server.errors import RETRY_AFTER_S
from runtime.server.safety.refusal import Refusal

# Beyond these many too many, connections are dropped without a word.
_NUM_REFUSED_AT_ONCE = 64

_TOO_MANY = Refusal(
    503,
    "unavailable_error",
    "The server has too many connections. Try again later, or start it with a larger "
    "--max-connections.",
    ((b"retry-after", str(RETRY_AFTER_S).encode()), (b"connection", b"close")),
)


class ConnectionLimits(msgspec.Struct, frozen=True):
    """What a client may take of a connection.

    Args:
        max_connections: Open ones at a time; more are answered with 503.
        head_s: Seconds for a request's line and headers, from their first byte or, on a new
            connection, from its start.
        body_s: As often the body is looked at: it must have grown by `body_bytes`.
        body_bytes: What must come in that time.
        stall_s: Seconds that a client may leave an answer unread while our buffer is full.
    """

    max_connections: int
    head_s: float = 10.0
    body_s: float = 10.0
    body_bytes: int = 5_000
    stall_s: float = 60.0


class _Owed(Enum):
    """What we wait for."""

    HEAD = "headers"
    BODY = "body"


class Connection(H11Protocol):
    """uvicorn's connection, with deadlines, a limit on their number, and errors as JSON."""

    def __init__(self, *args: Any, limits: ConnectionLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._owed: _Owed | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._num_bytes = 0

    def connection_made(  # type: ignore[override]  # as uvicorn has it
        self, transport: asyncio.Transport
    ) -> None:
        """Begin to wait for a request, which one connection too many gets refused."""
        super().connection_made(transport)
        excess = len(self.connections) - self._limits.max_connections
        if excess > _NUM_REFUSED_AT_ONCE:
            transport.abort()
        elif excess > 0:
            self.app = _TOO_MANY
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._set_deadline(None)
        self._end_stall()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take the client's bytes."""
        self._num_bytes += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on with the next request, which may be here already."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait for the client to read; our buffer is full."""
        super().pause_writing()
        self._stall = self.loop.call_later(self._limits.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        self._end_stall()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; called by uvicorn while it handles the error."""
        error = sys.exception()
        is_large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431
        if is_large:
            self._give_up(431, "The request's headers are too large.")
        else:
            self._give_up(400, "This is no valid HTTP request.")

    def _watch(self) -> None:
        """Keep the deadline that fits what the client owes."""
        owed = self._what_is_owed()
        if owed is not self._owed:
            self._set_deadline(owed)

    def _what_is_owed(self) -> _Owed | None:
        if self.transport.is_closing():
            return None
        if self.conn.their_state is h11.SEND_BODY:
            return _Owed.BODY
        has_begun = self.cycle is None or bool(self.conn.trailing_data[0])
        return _Owed.HEAD if self.conn.their_state is h11.IDLE and has_begun else None

    def _set_deadline(self, owed: _Owed | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._owed = owed
        limits = self._limits
        if owed is None:
            self._deadline = None
        elif owed is _Owed.HEAD:
            self._deadline = self.loop.call_later(limits.head_s, self._end_late)
        else:
            self._deadline = self.loop.call_later(
                limits.body_s, self._look_at_body, self._num_bytes
            )

    def _look_at_body(self, num_bytes_before: int) -> None:
        has_grown = self._num_bytes - num_bytes_before >= self._limits.body_bytes
        if self.flow.read_paused or (has_grown and not self.cycle.response_complete):
            self._set_deadline(_Owed.BODY)
        else:
            self._end_late()

    def _end_late(self) -> None:
        is_silent = self._owed is _Owed.HEAD and not self.conn.trailing_data[0]
        if is_silent or self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
        else:
            owed = self._owed.value if self._owed else ""
            self._give_up(408, f"The request's {owed} came too slowly.")

    def _give_up(self, code: int, message: str) -> None:
        """Answer with an error, whatever the application does, and close."""
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = Refusal(code, "invalid_request_error", message).body()
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            head = h11.Response(status_code=code, headers=headers, reason=STATUS_PHRASES[code])
            events = (head, h11.Data(data=body), h11.EndOfMessage())
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()

    def _end_stall(self) -> None:
        if self._stall:
            self._stall.cancel()
            self._stall = None
