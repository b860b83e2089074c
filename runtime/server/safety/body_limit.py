"""How large a request's body may be."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.server.safety.refusal import Refusal, header


class BodyLimit:
    """Middleware that refuses larger bodies: at once where the head says so, else as they grow.

    Args:
        app: What reads the body.
        max_bytes: The largest body.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._message = (
            f"The request's body is over {max_bytes / 2**20:g} MiB. "
            "Send less, or start the server with a larger --max-body."
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        length = header(scope, b"content-length")
        if length is not None and int(length) > self._max_bytes:
            refusal = Refusal(413, "invalid_request_error", self._message)
            return await refusal(scope, receive, send)
        if length is None and header(scope, b"transfer-encoding"):
            receive = self._counted(receive)
        return await self._app(scope, receive, send)

    def _counted(self, receive: Receive) -> Receive:
        num_bytes = 0

        async def receive_counted() -> Message:
            nonlocal num_bytes
            message = await receive()
            num_bytes += len(message.get("body", b""))
            if num_bytes > self._max_bytes:
                raise HTTPException(413, self._message)
            return message

        return receive_counted
