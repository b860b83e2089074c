"""A program that answers chat completions with fixed text, started like the real servers."""

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.servers import Server

TEXTS = ["one ", "two ", "three"]


def stub_server(*options: str, name: str = "stub") -> Server:
    """Return this file as a server."""
    program = [sys.executable, str(Path(__file__)), *options]
    root = str(Path(__file__).parents[2])
    return Server(name, program, lambda _: [], variables={"PYTHONPATH": root})


class Handler(BaseHTTPRequestHandler):
    """Answers a first request with 503, as a server that loads does, and then with a stream."""

    num_asked = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Handler.num_asked += 1
        if body["messages"][-1]["content"] == "refuse":
            self._say(400, b"too long")
        elif Handler.num_asked == 1:
            self._say(503, b"loading")
        else:
            content: list[dict[str, Any]] = [{"content": text} for text in TEXTS]
            choices = [{"choices": [{"delta": delta}]} for delta in ({"role": "x"}, *content)]
            usage = {"prompt_tokens": 7, "completion_tokens": body["max_tokens"]}
            events = [*choices, {"choices": [], "usage": usage}]
            data = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
            self._say(200, data + b"data: [DONE]\n\n")

    def log_message(self, *_: Any) -> None:
        pass

    def _say(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fail", action="store_true")
    arguments = parser.parse_args()
    if arguments.fail:
        sys.exit("the model is missing")
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
