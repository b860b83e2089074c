"""Tests of choosing the port."""

import pytest

from runtime.errors import ResourceError, UsageError
from runtime.server.listening import listen

HOST = "127.0.0.1"


def test_a_taken_port_is_said() -> None:
    """A port asked for that another program has is refused with what to do."""
    with (
        listen(HOST, 0) as first,
        pytest.raises(ResourceError, match=rf"Port {first.port} is taken.*--port"),
    ):
        listen(HOST, first.port)


def test_the_next_free_port_is_taken() -> None:
    """Without a port asked for, two servers find two ports."""
    with listen(HOST, None) as first, listen(HOST, None) as second:
        assert second.port > first.port >= 8080


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("192.0.2.1", 0, "Cannot listen on 192.0.2.1"),
        ("no such host", 0, "Cannot listen on no such host"),
        (HOST, 70000, "70000 is no port"),
    ],
)
def test_unusable_addresses_are_said(host: str, port: int, message: str) -> None:
    """An address of another machine, no address, and no port each get a sentence."""
    with pytest.raises(UsageError, match=message):
        listen(host, port)
