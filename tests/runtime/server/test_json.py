"""Tests of reading bodies."""

import asyncio
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.types import Message

from runtime.errors import RequestError
from runtime.server.json import Integer, read_json


class Body(msgspec.Struct):
    """A body with a field of each kind."""

    text: str = ""
    number: Integer = 0
    anything: Any = None


def _read(body: bytes) -> Body:
    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    return asyncio.run(read_json(Request(scope, receive), Body))


def test_a_body_is_read_and_unknown_fields_ignored() -> None:
    """Clients send more than every server knows."""
    assert _read(b'{"text": "a", "other": [1]}') == Body("a")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not valid JSON"),
        (b'{"text": "\x80"}', "not valid JSON"),
        (b'{"text": "\\ud800"}', "not valid JSON"),
        (b'{"text": 1}', r"\$\.text"),
        (b'{"number": 90071992547409920}', r"\$\.number"),
        (b'{"anything": ' + b"[" * 100_000, "nests too deep"),
    ],
)
def test_what_is_no_such_body_is_refused(body: bytes, words: str) -> None:
    """The sentence says what is wrong, and where."""
    with pytest.raises(RequestError, match=words):
        _read(body)
