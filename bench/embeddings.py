"""Inputs embedded a second, by a solofile and by llama-server, in one request and one by one.

`python -m bench.embeddings MODEL.gguf [ROUNDS]`, with a model made for embeddings.
"""

import http.client
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder import console
from builder.make import Order, make_solofile
from builder.native.llamacpp import llama_server
from builder.sources.gguf_file import GgufFile
from builder.targets import host_target
from runtime.machine import physical_cores

TIMEOUT_S = 300
TEXTS = [f"sentence number {number} about cats and the weather in town" for number in range(64)]


@dataclass(frozen=True, slots=True)
class Rates:
    """What each round gave, in inputs a second.

    Args:
        together: With all inputs in one request.
        singly: With a request for each, one after the other.
    """

    together: list[float]
    singly: list[float]


def measure(commands: dict[str, list[str]], *, rounds: int) -> dict[str, Rates]:
    """Ask each server in turn, round after round, each time from a fresh and warm start."""
    rates = {name: Rates([], []) for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            with _running(command) as port:
                _embed(port, TEXTS)
                started = time.monotonic()
                _embed(port, TEXTS)
                rates[name].together.append(len(TEXTS) / (time.monotonic() - started))
                started = time.monotonic()
                for text in TEXTS:
                    _embed(port, [text])
                rates[name].singly.append(len(TEXTS) / (time.monotonic() - started))
    return rates


@contextmanager
def _running(command: list[str]) -> Iterator[int]:
    """Start a server and end it; gives its port once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while not _is_ready(port):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command[0]} is not ready within {TIMEOUT_S} s")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=TIMEOUT_S)


def _is_ready(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (ConnectionError, http.client.HTTPException):
            return False


def _embed(port: int, texts: list[str]) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
        connection.request("POST", "/v1/embeddings", json.dumps({"input": texts}))
        answer = json.loads(connection.getresponse().read())
    assert len(answer["data"]) == len(texts), answer


def main(gguf: Path, rounds: int) -> None:
    """Make the solofile, measure, and print a table."""
    threads = ["-t", str(physical_cores())]
    with tempfile.TemporaryDirectory() as folder:
        made = make_solofile(Order(GgufFile(gguf), host_target(), output=Path(folder)))
        rates = measure(
            {
                "solofile": [made.path, "serve", "--no-browser", *threads],
                "llama-server": [
                    str(llama_server()), "-m", str(gguf), "--embeddings", "--no-ui", *threads,
                ],
            },
            rounds=rounds,
        )  # fmt: skip
    for name, what in rates.items():
        for label, values in (("one request", what.together), ("64 requests", what.singly)):
            spread = f"({min(values):.0f} to {max(values):.0f})"
            console.result(f"{name:14}{label:14}{statistics.median(values):.0f}/s {spread}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
