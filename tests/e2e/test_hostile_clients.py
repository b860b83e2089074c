"""A real solofile and clients that send anything, leave at any moment, or come all at once."""

import asyncio
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.server.routes import ENDPOINTS
from tests.solofile import ServedSolofile

NUM_CONNECTIONS = 200
NUM_RUNNING = 32
NUM_SLOW = 40
MAX_GROWTH_BYTES = 8_000_000
CHAT = "/v1/chat/completions"
BODY = json.dumps(
    {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4, "stream": True}
).encode()
PATHS = [path for endpoint in ENDPOINTS for path in endpoint.paths]


@pytest.fixture(scope="module")
def crowded(solofile: Path) -> Iterator[ServedSolofile]:
    """A solofile for many at once."""
    arguments = ("--port", "0", "--predict", "4", "-np", str(NUM_RUNNING), "-c", "4096")
    with ServedSolofile(solofile, *arguments) as running:
        yield running


def _address(served: ServedSolofile) -> tuple[str, int]:
    parts = urlsplit(served.url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def _head(path: str, length: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
        "Content-Type: application/json\r\nConnection: close\r\n\r\n"
    ).encode()


# Bodies that are nearly right go deeper than noise does.
damaged_bodies = st.builds(
    lambda body, at, noise, cut: body[:at] + noise + body[at + cut :],
    st.just(BODY),
    st.integers(0, len(BODY)),
    st.binary(max_size=8),
    st.integers(0, 4),
)
bodies = st.one_of(damaged_bodies, st.binary(max_size=200), st.just(b"[" * 5000))
heads = st.one_of(
    st.builds(_head, st.sampled_from(PATHS), st.integers(0, 300)),
    st.builds(
        lambda method, path, name, value: (
            method + b" " + path + b" HTTP/1.1\r\n" + name + b": " + value + b"\r\n\r\n"
        ),
        st.sampled_from([b"GET", b"POST", b"PUT", b"\x00", b"OPTIONS", b"get"]),
        st.one_of(st.sampled_from([path.encode() for path in PATHS]), st.binary(max_size=40)),
        st.sampled_from([b"Host", b"Content-Length", b"Transfer-Encoding", b"Expect", b"\xff"]),
        st.one_of(st.sampled_from([b"chunked", b"-1", b"99999999999", b"100-continue"]),
                  st.binary(max_size=40)),
    ),
    st.binary(max_size=300),
)  # fmt: skip


@settings(
    max_examples=400,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(head=heads, body=bodies, leaving=st.sampled_from(["half", "close", "reset"]))
def test_no_bytes_break_the_server(
    crowded: ServedSolofile, head: bytes, body: bytes, leaving: str
) -> None:
    """Malformed requests and half-closed connections get a refusal or nothing, and no failure."""
    with socket.create_connection(_address(crowded), timeout=20) as connection:
        connection.sendall(head + body)
        if leaving == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if leaving != "half":
            return
        connection.shutdown(socket.SHUT_WR)
        answer = _all_of(connection)
    status = answer.split(b" ", 2)[1:2]
    assert status in ([], [b"200"], [b"501"], [b"503"]) or status[0].startswith(b"4"), answer


def _all_of(connection: socket.socket) -> bytes:
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def test_the_server_is_whole_afterwards(crowded: ServedSolofile) -> None:
    """After all that nothing runs, and a sound request is answered."""
    answer = asyncio.run(_ask(crowded, is_slow=False))
    assert answer.startswith(b"HTTP/1.1 200")
    assert crowded.metrics()["llamacpp:requests_processing"] == 0


def test_two_hundred_at_once(crowded: ServedSolofile) -> None:
    """32 are worked on, the others wait or ask slowly; all are answered, and memory stays."""
    most_running = _ask_all(crowded)
    before = crowded.anonymous_bytes()
    most_running = max(most_running, _ask_all(crowded))
    assert crowded.anonymous_bytes() - before < MAX_GROWTH_BYTES
    assert most_running > NUM_RUNNING // 2
    metrics = crowded.metrics()
    assert metrics["llamacpp:requests_processing"] == metrics["llamacpp:requests_deferred"] == 0


def _ask_all(served: ServedSolofile) -> float:
    """Ask 200 times at once, and return how many were worked on at most."""

    async def watch() -> float:
        most = 0.0
        while not all(task.done() for task in tasks):
            metrics = await asyncio.to_thread(served.metrics)
            most = max(most, metrics["llamacpp:requests_processing"])
            await asyncio.sleep(0.1)
        return most

    async def ask_all() -> tuple[list[bytes], float]:
        tasks.extend(
            asyncio.create_task(_ask(served, is_slow=number < NUM_SLOW))
            for number in range(NUM_CONNECTIONS)
        )
        most = await watch()
        return [task.result() for task in tasks], most

    tasks: list[asyncio.Task[bytes]] = []
    answers, most = asyncio.run(ask_all())
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"[DONE]" in answer
        assert b'"error"' not in answer
    return most


async def _ask(served: ServedSolofile, *, is_slow: bool) -> bytes:
    reader, writer = await asyncio.open_connection(*_address(served))
    try:
        request = _head(CHAT, len(BODY)) + BODY
        if is_slow:
            for start in range(0, len(request), 40):
                writer.write(request[start : start + 40])
                await writer.drain()
                await asyncio.sleep(0.3)
        else:
            writer.write(request)
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
