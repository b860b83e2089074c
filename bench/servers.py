"""The servers that are compared: each started from nothing, on the same model and settings."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 600
POLL_S = 0.002
# Said in every request, or each server would take its own.
SYSTEM_PROMPT = "You are a helpful assistant."


@dataclass(frozen=True, slots=True)
class Server:
    """A program that serves a model over OpenAI's API.

    Args:
        name: What the table calls it.
        command: The program and its arguments; `--port N` is added.
    """

    name: str
    command: list[str]


def solofile_server(path: Path, *, n_ctx: int, n_threads: int, num_clients: int = 4) -> Server:
    """Return a solofile as a server."""
    options = [*_shared_options(n_ctx, n_threads, num_clients), "--no-browser"]
    return Server("solofile", [str(path), "serve", *options])


def llama_server(
    program: Path, gguf: Path, *, n_ctx: int, n_threads: int, num_clients: int = 4
) -> Server:
    """Return llama-server with everything left out that the solofile does not have either."""
    options = [*_shared_options(n_ctx, n_threads, num_clients), "--no-ui"]
    return Server("llama-server", [str(program), "-m", str(gguf), *options])


@contextmanager
def running(server: Server) -> Iterator[int]:
    """Start a server and end it; gives the port it will answer at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*server.command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(timeout=TIMEOUT_S)


def first_token(port: int, prompt: str) -> float:
    """Ask until the server answers, and return the clock's time at the first text of an answer.

    The clock is `time.monotonic`, in seconds.
    """
    body = _body(SYSTEM_PROMPT, prompt, max_tokens=4, stream=True)
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", "/v1/chat/completions", body)
            response = connection.getresponse()
            if response.status == 200:
                return _read_first_text(response)
        except (ConnectionError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(POLL_S)
    raise TimeoutError(f"no answer on port {port} within {TIMEOUT_S} s")


def complete(port: int, system_prompt: str, prompt: str, max_tokens: int) -> dict[str, int]:
    """Ask a server that is ready, and return the answer's `usage`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    with closing(connection):
        body = _body(system_prompt, prompt, max_tokens=max_tokens, stream=False)
        connection.request("POST", "/v1/chat/completions", body)
        answer = json.loads(connection.getresponse().read())
    usage: dict[str, int] = answer["usage"]
    return usage


def _body(system_prompt: str, prompt: str, *, max_tokens: int, stream: bool) -> str:
    messages = [
        {"role": "system", "content": system_prompt},
        {"role": "user", "content": prompt},
    ]
    return json.dumps(
        {"messages": messages, "max_tokens": max_tokens, "temperature": 0, "stream": stream}
    )


def _read_first_text(response: http.client.HTTPResponse) -> float:
    for line in response:
        if line.startswith(b"data: {"):
            choices = json.loads(line[6:]).get("choices")
            if choices and choices[0]["delta"].get("content"):
                return time.monotonic()
    raise TimeoutError("the answer ended without text")


def _shared_options(n_ctx: int, n_threads: int, num_clients: int) -> list[str]:
    return ["-c", str(n_ctx), "-t", str(n_threads), "-np", str(num_clients)]
