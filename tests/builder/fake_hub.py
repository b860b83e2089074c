"""A small server that speaks the hub's endpoints, for the real client library to talk to."""

import hashlib
import json
import re
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

from tests.certificate import Pair

PIECE_BYTES = 1 << 16
COMMIT = "c0ffee" + "0" * 34
OLD_COMMIT = "0" * 34 + "c0ffee"


@dataclass
class Repository:
    """One repository of the fake hub.

    Args:
        files: Its files with their bytes, the same at every revision.
        tags: What its card says.
        token: Who wants in must show this; empty lets everybody in.
        is_gated: Whether it is refused as gated, not as missing.
        gated: What it tells everybody of its gate, and then only files are refused.
        card: What the lines in front of its card say.
    """

    files: dict[str, bytes]
    tags: list[str] = field(default_factory=list)
    token: str = ""
    is_gated: bool = False
    gated: str = ""
    card: dict[str, str] = field(default_factory=dict)

    def revisions(self) -> dict[str, str]:
        """Return the commits by the names that lead to them."""
        return {"main": COMMIT, "v1": OLD_COMMIT, COMMIT: COMMIT, OLD_COMMIT: OLD_COMMIT}


@dataclass
class Fault:
    """What goes wrong with one request.

    Args:
        on: The beginning of the requests it is for: `GET /acme`.
        status: The answer's status; 0 as it should be.
        headers: More headers of the answer.
        sent_share: How much of a file is sent before the connection breaks.
        is_silent: Whether the connection stays open then, with nothing more to come.
        is_altered: Whether the file's last byte is another.
        pause_s: How long is waited after each piece of 64 KiB.
        ignores_range: Whether all of the file is sent where a part is asked for.
    """

    on: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    sent_share: float = 1
    is_silent: bool = False
    is_altered: bool = False
    pause_s: float = 0
    ignores_range: bool = False


NO_FAULT = Fault("")


@dataclass
class FakeHub:
    """The hub's state, and what it was asked for.

    Args:
        repositories: What it holds, by `OWNER/NAME`.
        requests: `METHOD PATH RANGE` of every request.
        tokens: The `Authorization` of every request.
        num_bytes: How many bytes of files it sent.
        num_at_once: How many files it is sending now, and the most it ever was.
        break_off_after: Bytes after which a file's connection breaks; 0 never.
        status: What every request is answered with; 0 as it should be.
        faults: What goes wrong, each once, the first that fits.
        cdn: The address of another server that gives out the files; empty for none.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    num_bytes: int = 0
    num_at_once: list[int] = field(default_factory=lambda: [0, 0])
    break_off_after: int = 0
    status: int = 0
    faults: list[Fault] = field(default_factory=list)
    cdn: str = ""
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(hub: FakeHub, certificate: Pair | None = None) -> Iterator[FakeHub]:
    """Serve a hub at a free port of this machine, with TLS where there is a certificate."""

    class Handler(_Handler):
        state = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    hub.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        hub.is_closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: FakeHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_CONNECT(self) -> None:
        """Be a proxy that tunnels to another server."""
        self.state.requests.append(f"CONNECT {self.path}")
        host, _, port = self.path.partition(":")
        self.close_connection = True
        with socket.create_connection((host, int(port))) as other:
            self.send_response(200)
            self.end_headers()
            ways = {self.connection: other, other: self.connection}
            while ready := select.select(list(ways), [], [], 5)[0]:
                for side in ready:
                    data = side.recv(PIECE_BYTES)
                    if not data:
                        return
                    ways[side].sendall(data)

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        wanted_range = self.headers.get("Range", "")
        with self.state.lock:
            self.state.requests.append(f"{self.command} {path} {wanted_range}".strip())
            self.state.tokens.append(self.headers.get("Authorization", ""))
            fault = self._fault(f"{self.command} {path}")
        if status := fault.status or self.state.status:
            self._refuse(status, "", fault.headers)
            return
        info = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        match = info or file
        repository = self.state.repositories.get(match[1]) if match else None
        if match is None or repository is None:
            self._refuse(401, "RepoNotFound")
        elif (
            repository.token
            and self.headers.get("Authorization") != f"Bearer {repository.token}"
            and not (info and repository.gated)
        ):
            gated = repository.is_gated or repository.gated
            self._refuse(403 if gated else 401, "GatedRepo" if gated else "RepoNotFound")
        elif (commit := repository.revisions().get(match[2] or "main")) is None:
            self._refuse(404, "RevisionNotFound")
        elif info:
            self._describe(match[1], repository, commit)
        elif match[3] not in repository.files:
            self._refuse(404, "EntryNotFound")
        elif self.state.cdn:
            self._redirect(repository.files[match[3]], commit, self.state.cdn + path)
        else:
            wanted_range = "" if fault.ignores_range else wanted_range
            self._send_file(repository.files[match[3]], commit, wanted_range, fault)

    def _fault(self, request: str) -> Fault:
        found = next((one for one in self.state.faults if request.startswith(one.on)), NO_FAULT)
        if found in self.state.faults:
            self.state.faults.remove(found)
        return found

    def _refuse(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _redirect(self, data: bytes, commit: str, where: str) -> None:
        self._refuse(
            302,
            "",
            {
                "Location": where,
                "X-Repo-Commit": commit,
                "X-Linked-ETag": f'"{hashlib.sha256(data).hexdigest()}"',
                "X-Linked-Size": str(len(data)),
            },
        )

    def _describe(self, name: str, repository: Repository, commit: str) -> None:
        siblings = [
            {
                "rfilename": file,
                "size": len(data),
                "lfs": {
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "size": len(data),
                    "pointerSize": 134,
                },
            }
            for file, data in repository.files.items()
        ]
        facts: dict[str, object] = {
            "id": name,
            "sha": commit,
            "tags": repository.tags,
            "siblings": siblings,
        }
        facts |= {"gated": repository.gated or False, "cardData": repository.card}
        body = json.dumps(facts).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, data: bytes, commit: str, wanted_range: str, fault: Fault) -> None:
        first, _, last = wanted_range.removeprefix("bytes=").partition("-")
        start, end = int(first or 0), int(last) + 1 if last else len(data)
        self.send_response(206 if wanted_range else 200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("Content-Length", str(end - start))
        if wanted_range:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault.is_altered:
            data = data[:-1] + bytes([data[-1] ^ 1])
        stop = min(end, start + self.state.break_off_after) if self.state.break_off_after else end
        stop = min(stop, int(len(data) * fault.sent_share))
        self._count(1)
        with suppress(ConnectionError):
            for place in range(start, stop, PIECE_BYTES):
                piece = data[place : min(place + PIECE_BYTES, stop)]
                self.wfile.write(piece)
                with self.state.lock:
                    self.state.num_bytes += len(piece)
                self.state.is_closing.wait(fault.pause_s)
        self._count(-1)
        if fault.is_silent:
            self.state.is_closing.wait()
        self.close_connection = self.close_connection or stop < end

    def _count(self, change: int) -> None:
        with self.state.lock:
            now, most = self.state.num_at_once
            self.state.num_at_once = [now + change, max(most, now + change)]
