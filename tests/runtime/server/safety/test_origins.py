"""Tests of which web pages may use the server."""

import pytest

from runtime.server.safety.origins import Cors, Origins
from runtime.server.safety.refusal import Guard
from tests.runtime.server.safety.asgi import ask, echo, scope_of

OWN = "http://127.0.0.1:8080"


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "PUT"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:3000", ""])
def test_foreign_pages_may_not_change_anything(method: str, origin: str) -> None:
    """Also with a plain POST, which needs no preflight."""
    refusal = Origins([])(scope_of(method, origin=origin, host="127.0.0.1:8080"))
    assert refusal is not None
    assert (refusal.code, refusal.kind) == (403, "permission_error")


def test_the_server_s_own_page_may() -> None:
    """Its origin is what the Host header says; other programs have no origin."""
    check = Origins([])
    assert check(scope_of("POST", origin=OWN, host="127.0.0.1:8080")) is None
    assert check(scope_of("POST", origin="https://[::1]:8", host="[::1]:8")) is None
    assert check(scope_of("POST", host="127.0.0.1:8080")) is None
    assert check(scope_of("GET", origin="https://evil.example", host="127.0.0.1:8080")) is None


def test_no_host_is_nobody_s_own() -> None:
    """An empty origin does not equal a missing host."""
    assert Origins([])(scope_of("POST", origin="null")) is not None


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        (["https://a.example"], "https://a.example", True),
        (["https://A.example/"], "https://a.example", True),
        (["https://a.example"], "http://a.example", False),
        (["https://a.example"], "https://a.example:444", False),
        (["https://a.example"], "https://b.a.example", False),
        (["localhost"], "http://localhost:3000", True),
        (["localhost"], "http://127.0.0.1:3000", True),
        (["localhost"], "https://localhost.evil.example", False),
        (["*"], "https://anything", True),
        ([], "https://anything", False),
    ],
)
def test_allowed_origins(allowed: list[str], origin: str, expected: bool) -> None:
    """Whole origins, llama-server's `localhost`, and `*`."""
    assert Origins(allowed).allows(origin) is expected
    assert bool(Origins(allowed)) is bool(allowed)


def test_a_preflight_is_answered() -> None:
    """With the origin itself, what it may send, and no word of credentials."""
    answer = ask(
        Cors(echo, Origins(["https://a.example"])),
        "OPTIONS",
        origin="https://a.example",
        access_control_request_method="POST",
        access_control_request_headers="authorization, content-type",
    )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


def test_answers_may_be_read_by_allowed_pages_alone() -> None:
    """Each answer to an allowed origin says so, and no other one."""
    app = Cors(echo, Origins(["https://a.example"]))
    allowed = ask(app, "POST", "/v1/models", b"x", origin="https://a.example")
    assert (allowed.body, allowed.status) == (b"x", 200)
    assert allowed.headers["access-control-allow-origin"] == "https://a.example"
    for headers in ({"origin": "https://b.example"}, {}):
        other = ask(app, "GET", "/v1/models", **headers)
        assert not any(name.startswith("access-control") for name in other.headers)


def test_every_origin_is_a_star_without_credentials() -> None:
    """`*` is told as such."""
    answer = ask(Cors(echo, Origins(["*"])), origin="https://a.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_refusals_can_be_read_by_allowed_pages() -> None:
    """So a page learns that its key is wrong."""
    refusing = Guard(echo, [Origins([])])
    answer = ask(Cors(refusing, Origins(["*"])), "POST", origin="https://a.example")
    assert answer.status == 403
    assert answer.headers["access-control-allow-origin"] == "*"
