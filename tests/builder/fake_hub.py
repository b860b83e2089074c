"""A small server that speaks the hub's endpoints, for the real client library to talk to."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

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
    """

    files: dict[str, bytes]
    tags: list[str] = field(default_factory=list)
    token: str = ""
    is_gated: bool = False

    def revisions(self) -> dict[str, str]:
        """Return the commits by the names that lead to them."""
        return {"main": COMMIT, "v1": OLD_COMMIT, COMMIT: COMMIT, OLD_COMMIT: OLD_COMMIT}


@dataclass
class FakeHub:
    """The hub's state, and what it was asked for.

    Args:
        repositories: What it holds, by `OWNER/NAME`.
        requests: `METHOD PATH RANGE` of every request.
        break_off_after: Bytes after which a file's connection breaks; 0 never.
        status: What every request is answered with; 0 as it should be.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    break_off_after: int = 0
    status: int = 0
    url: str = ""


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve a hub at a free port of this machine."""

    class Handler(_Handler):
        state = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
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

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        wanted_range = self.headers.get("Range", "")
        self.state.requests.append(f"{self.command} {path} {wanted_range}".strip())
        if self.state.status:
            self._refuse(self.state.status, "")
            return
        info = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        match = info or file
        repository = self.state.repositories.get(match[1]) if match else None
        if match is None or repository is None:
            self._refuse(401, "RepoNotFound")
        elif repository.token and self.headers.get("Authorization") != f"Bearer {repository.token}":
            gated = repository.is_gated
            self._refuse(403 if gated else 401, "GatedRepo" if gated else "RepoNotFound")
        elif (commit := repository.revisions().get(match[2] or "main")) is None:
            self._refuse(404, "RevisionNotFound")
        elif info:
            self._describe(match[1], repository, commit)
        elif match[3] not in repository.files:
            self._refuse(404, "EntryNotFound")
        else:
            self._send_file(repository.files[match[3]], commit, wanted_range)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

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
        facts = {"id": name, "sha": commit, "tags": repository.tags, "siblings": siblings}
        body = json.dumps(facts).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, data: bytes, commit: str, wanted_range: str) -> None:
        first, _, last = wanted_range.removeprefix("bytes=").partition("-")
        start = int(first or 0)
        total, data = len(data), data[: int(last) + 1] if last else data
        self.send_response(206 if wanted_range else 200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("Content-Length", str(len(data) - start))
        if wanted_range:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{total}")
        self.end_headers()
        if self.command == "HEAD":
            return
        limit = self.state.break_off_after
        self.wfile.write(data[start : start + limit] if limit else data[start:])
        if limit:
            self.close_connection = True
