"""A package index with one wheel, for the real pip to talk to over a bad network."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


@dataclass
class FakeIndex:
    """What the index does.

    Args:
        wheel: The one it has.
        sent_shares: How much of the wheel each request gets before the connection breaks.
        statuses: What requests for the wheel are answered with, before those.
        is_altered: Whether the wheel's last byte is another than the index says.
        num_requests: How often the wheel was asked for.
    """

    wheel: Path
    sent_shares: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    is_altered: bool = False
    num_requests: int = 0
    url: str = ""


@contextmanager
def serving_index(index: FakeIndex) -> Iterator[FakeIndex]:
    """Serve an index at a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = index.wheel.read_bytes()
            if not self.path.endswith(".whl"):
                digest = hashlib.sha256(data).hexdigest()
                link = f'<a href="/{index.wheel.name}#sha256={digest}">{index.wheel.name}</a>'
                self._send(200, link.encode(), 1)
                return
            index.num_requests += 1
            if index.statuses:
                self._send(index.statuses.pop(0), b"", 1)
                return
            if index.is_altered:
                data = data[:-1] + bytes([data[-1] ^ 1])
            self._send(200, data, index.sent_shares.pop(0) if index.sent_shares else 1)

        def _send(self, status: int, data: bytes, share: float) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: int(len(data) * share)])

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
