"""Tests of deadlines and limits of connections, over real ones."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, cast

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from runtime.server.safety.connection import Connection, ConnectionLimits

LIMITS = ConnectionLimits(max_connections=5, head_s=0.5, body_s=0.5, body_bytes=100, stall_s=0.5)
# What a busy machine may take where half a second is due.
MOST_S = 4
HEAD = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
GET = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def _early(request: Request) -> Response:
    return PlainTextResponse("early")


async def _slow(request: Request) -> Response:
    await asyncio.sleep(0.7)
    return PlainTextResponse("slow")


async def _flood(request: Request) -> Response:
    return StreamingResponse(iter([b"x" * 1_000_000] * 100))


ROUTES = [
    Route("/echo", _echo, methods=["POST"]),
    Route("/early", _early, methods=["POST"]),
    Route("/slow", _slow),
    Route("/flood", _flood),
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server with short deadlines."""
    connect = cast(Any, partial(Connection, limits=LIMITS))
    config = uvicorn.Config(
        Starlette(routes=ROUTES), http=connect, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture
def client(port: int) -> Iterator[socket.socket]:
    """A connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        yield client
    # The server hears of the end a moment later.
    time.sleep(0.05)


def _to_the_end(client: socket.socket) -> tuple[bytes, float]:
    """Read until the server closes; return what came and how many seconds it took."""
    started = time.monotonic()
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts), time.monotonic() - started


def _slow_answers(client: socket.socket, expected: int = 1) -> int:
    """Read until as many answers came, and return how many did."""
    answer = b""
    while answer.count(b"slow") < expected and (part := client.recv(65536)):
        answer += part
    return answer.count(b"slow")


def _error(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert int(head.split()[1]) == error["code"]
    assert b"connection: close" in head.lower()
    return error["code"], error["message"]


def test_a_silent_connection_is_closed(client: socket.socket) -> None:
    """Without a word, since browsers open some ahead of need."""
    answer, seconds = _to_the_end(client)
    assert answer == b""
    assert 0.4 < seconds < MOST_S


def test_headers_that_trickle_are_cut_off(client: socket.socket) -> None:
    """Each byte comes soon after the one before, and all of them too late."""
    started = time.monotonic()
    client.settimeout(0.1)
    answer = b""
    for byte in b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x" * 100:
        client.send(bytes([byte]))
        try:
            answer = client.recv(1000)
            break
        except TimeoutError:
            continue
    assert _error(answer) == (408, "The request's headers came too slowly.")
    assert 0.4 < time.monotonic() - started < MOST_S


def test_a_body_that_trickles_is_cut_off(client: socket.socket) -> None:
    """It has to come at some speed."""
    client.sendall(HEAD + b"x" * 50)
    answer, seconds = _to_the_end(client)
    assert _error(answer) == (408, "The request's body came too slowly.")
    assert 0.4 < seconds < MOST_S


def test_a_body_that_comes_steadily_is_read(client: socket.socket) -> None:
    """However long it takes as a whole."""
    client.sendall(HEAD)
    for _ in range(10):
        time.sleep(0.1)
        client.sendall(b"x" * 100)
    assert client.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_slow_answer_has_no_deadline(client: socket.socket) -> None:
    """Only clients have."""
    client.sendall(GET)
    assert _slow_answers(client) == 1


def test_the_second_request_has_a_deadline_too(client: socket.socket) -> None:
    """On a connection that is kept, from the first byte on."""
    client.sendall(GET)
    assert _slow_answers(client) == 1
    time.sleep(0.6)
    client.sendall(b"GET / HTTP")
    answer, seconds = _to_the_end(client)
    assert _error(answer)[0] == 408
    assert 0.4 < seconds < MOST_S


def test_requests_that_come_together_are_answered_in_turn(client: socket.socket) -> None:
    """The second one is here before the first is answered, which is no delay of the client's."""
    client.sendall(GET + GET)
    assert _slow_answers(client, 2) == 2


def test_a_body_nobody_reads_ends_the_connection(client: socket.socket) -> None:
    """After its answer the rest is not waited for."""
    client.sendall(HEAD.replace(b"/echo", b"/early") + b"x")
    answer, seconds = _to_the_end(client)
    assert answer.endswith(b"early")
    assert seconds < MOST_S


def test_a_client_that_does_not_read_is_cut_off(client: socket.socket, port: int) -> None:
    """It holds an answer of 100 MB for no longer than the limit."""
    client.sendall(GET.replace(b"/slow", b"/flood"))
    time.sleep(1)
    answer, seconds = _to_the_end(client)
    assert len(answer) < 50_000_000
    assert seconds < MOST_S


@pytest.mark.parametrize(
    ("sent", "code", "words"),
    [
        (b"what?\r\n\r\n", 400, "no valid HTTP"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "no valid HTTP"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "no valid HTTP"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 400_000, 431, "headers are too large"),
        (HEAD.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked") + b"zz\r\n", 400, ""),
    ],
)
def test_what_is_no_http_gets_an_error(
    client: socket.socket, sent: bytes, code: int, words: str
) -> None:
    """In the form of all errors, and then the connection ends."""
    try:
        client.sendall(sent)
    except (ConnectionResetError, BrokenPipeError):
        pass
    answer, _ = _to_the_end(client)
    got = _error(answer)
    assert got[0] == code
    assert words in got[1]


def test_too_many_connections_are_refused(port: int) -> None:
    """The sixth gets 503 and when to come again; once one ends, the next is served."""
    address = ("127.0.0.1", port)
    held = [socket.create_connection(address, timeout=5) for _ in range(5)]
    time.sleep(0.1)
    with socket.create_connection(address, timeout=5) as sixth:
        sixth.sendall(GET)
        answer, _ = _to_the_end(sixth)
    assert _error(answer)[0] == 503
    assert b"retry-after: 1" in answer.lower()
    for one in held:
        one.close()
    _wait_for_a_place(address)


def test_far_too_many_are_dropped(port: int) -> None:
    """Refusing takes connections, too; the server goes on."""
    address = ("127.0.0.1", port)
    many = [socket.create_connection(address, timeout=5) for _ in range(120)]
    deadline = time.monotonic() + 20
    while sum(_is_dropped(one) for one in many) < 50:
        assert time.monotonic() < deadline, "they are all still there"
        time.sleep(0.02)
    for one in many:
        one.close()
    _wait_for_a_place(address)


def _wait_for_a_place(address: tuple[str, int]) -> None:
    """Ask until there is an answer: the server hears of ended connections a moment later."""
    deadline = time.monotonic() + 20
    while True:
        with (
            suppress(ConnectionError),
            socket.create_connection(address, timeout=5) as client,
        ):
            client.sendall(GET)
            if _slow_answers(client) == 1:
                return
        assert time.monotonic() < deadline, "no place became free"
        time.sleep(0.02)


def _is_dropped(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
