"""Tests of the names that the server goes by."""

import socket

import pytest

from runtime.server.safety.hosts import HostCheck, host_of, is_loopback
from tests.runtime.server.safety.asgi import scope_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost:8080", "localhost"),
        ("LocalHost.", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]:8080", "::1"),
        ("::1", "::1"),
        ("[::1", "::1"),
        ("", ""),
    ],
)
def test_the_port_is_left_out(text: str, expected: str) -> None:
    """Names and addresses of both kinds, with and without a port."""
    assert host_of(text) == expected


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost", "a.localhost"]
)
def test_loopback_is_known_by_name_and_address(host: str) -> None:
    """Whatever leads back to this machine alone."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "localhost.evil"])
def test_all_else_is_not_loopback(host: str) -> None:
    """Addresses of any other kind, and names that only look like it."""
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "given",
    ["localhost", "localhost:1", "127.0.0.1:8080", "[::1]:8080", "x.localhost", "127.1.2.3"],
)
def test_this_machine_s_names_are_ours(given: str) -> None:
    """At whatever port, since one may be forwarded."""
    assert HostCheck("127.0.0.1", "127.0.0.1")(scope_of(host=given)) is None


@pytest.mark.parametrize(
    "given",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "",
        "a b",
    ],
)
def test_foreign_names_are_refused(given: str) -> None:
    """A rebound name, and addresses that nobody reached us at."""
    refusal = HostCheck("127.0.0.1", "127.0.0.1")(scope_of(host=given))
    assert refusal is not None
    assert (refusal.code, refusal.kind) == (403, "permission_error")
    assert "--allowed-hosts" in refusal.message


def test_a_browser_s_request_without_a_host_does_not_exist() -> None:
    """HTTP/1.0 without the header is let pass."""
    assert HostCheck("127.0.0.1", "127.0.0.1")(scope_of()) is None


def test_the_address_that_was_reached_is_ours() -> None:
    """As the socket tells it, also where it tells it as IPv6."""
    check = HostCheck("127.0.0.1", "127.0.0.1")
    scope = scope_of(host="192.168.0.7:8080")
    scope["server"] = ("::ffff:192.168.0.7", 8080)
    assert check(scope) is None


def test_beyond_loopback_any_address_and_the_machine_s_name_are_ours() -> None:
    """Behind translated addresses no more can be known; names are still checked."""
    check = HostCheck("0.0.0.0", "0.0.0.0")
    assert check(scope_of(host="203.0.113.9:80")) is None
    assert check(scope_of(host=f"{socket.gethostname()}:8080")) is None
    assert check(scope_of(host="evil.example")) is not None


@pytest.mark.parametrize("allowed", ["chat.example.com", "Chat.Example.com:443", "*"])
def test_more_names_can_be_allowed(allowed: str) -> None:
    """`--allowed-hosts` names them, in any case, with or without a port; or all."""
    check = HostCheck("127.0.0.1", "127.0.0.1", [allowed])
    assert check(scope_of(host="chat.example.com")) is None
    assert HostCheck("my.host", "10.0.0.1")(scope_of(host="my.host:80")) is None
