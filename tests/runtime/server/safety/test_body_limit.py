"""Tests of the limit on bodies, before the real application's error handlers."""

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime.server.errors import answer_error
from runtime.server.safety.body_limit import BodyLimit
from tests.runtime.server.safety.asgi import ask


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


APP = BodyLimit(
    Starlette(
        routes=[Route("/v1/x", _echo, methods=["POST"])],
        exception_handlers={HTTPException: answer_error},
    ),
    10,
)


def test_a_body_that_says_it_is_too_large_is_refused() -> None:
    """Before any of it is read."""
    answer = ask(APP, "POST", "/v1/x", content_length="11")
    assert answer.status == 413
    assert "--max-body" in answer.error["message"]


def test_a_body_that_grows_too_large_is_refused() -> None:
    """One whose length nobody said."""
    answer = ask(APP, "POST", "/v1/x", b"12345678", b"901", transfer_encoding="chunked")
    assert answer.status == 413
    assert "--max-body" in answer.error["message"]


@pytest.mark.parametrize(
    "headers", [{"content_length": "10"}, {"transfer_encoding": "chunked"}, {}]
)
def test_a_body_within_the_limit_is_read(headers: dict[str, str]) -> None:
    """To the last byte."""
    answer = ask(APP, "POST", "/v1/x", b"12345678", b"90", **headers)
    assert (answer.status, answer.body) == (200, b"1234567890")
