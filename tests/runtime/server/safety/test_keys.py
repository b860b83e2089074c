"""Tests of API keys."""

from pathlib import Path

import pytest

from runtime.errors import UsageError
from runtime.server.safety.keys import KeyCheck, read_keys
from runtime.server.safety.refusal import Guard
from tests.runtime.server.safety.asgi import ask, echo, scope_of


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer right"},
        {"authorization": "bearer  right"},
        {"authorization": "right"},
        {"x-api-key": "right"},
        {"api-key": "right"},
        {"authorization": "Bearer wrong", "x-api-key": "right"},
        {"x-api-key": "second"},
    ],
)
def test_every_dialect_s_header_is_taken(headers: dict[str, str]) -> None:
    """OpenAI's, llama-server's, Anthropic's and Azure's; any of the keys is enough."""
    assert KeyCheck(["right", "second"])(scope_of("POST", **headers)) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": "Basic right"},
        {"x-api-key": "RIGHT"},
        {"x-api-key": "righ"},
        {"x-api-key": "ri\u00e9ht"},
        {"cookie": "right"},
    ],
)
def test_all_else_is_refused(headers: dict[str, str]) -> None:
    """With llama-server's type, and a word on how to send one."""
    answer = ask(Guard(echo, [KeyCheck(["right"])]), "POST", **headers)
    assert (answer.status, answer.error["type"]) == (401, "authentication_error")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert b"right" not in answer.body


@pytest.mark.parametrize(
    "path", ["/", "/health", "/ping", "/v1/health", "/page/app.js", "/docs", "/openapi.json"]
)
def test_pages_and_health_need_no_key(path: str) -> None:
    """A browser could not send one."""
    assert KeyCheck(["right"])(scope_of("GET", path)) is None


@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/page", "/health/", "//", "/Health"])
def test_nothing_else_is_public(path: str) -> None:
    """Neither what looks alike."""
    assert KeyCheck(["right"])(scope_of("GET", path)) is not None


def test_texts_need_a_key_where_the_page_needs_none() -> None:
    """What is posted to the page's path generates text."""
    assert KeyCheck(["right"])(scope_of("POST", "/")) is not None


def test_anthropic_s_clients_are_told_in_their_form() -> None:
    """The refusal of a dialect's path is an error of that dialect."""
    answer = ask(Guard(echo, [KeyCheck(["right"])]), "POST", "/v1/messages")
    assert answer.status == 401
    assert b'"type":"error"' in answer.body


def test_keys_come_from_the_setting_and_a_file(tmp_path: Path) -> None:
    """Between commas, and one on each line, but for comments."""
    file = tmp_path / "keys"
    file.write_bytes(b"# whose\r\nthird\r\n\r\n  fourth \n")
    assert read_keys("first, second,", str(file)) == ("first", "second", "third", "fourth")
    assert read_keys("", "") == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot read .*: No such file"), (b"# none\n", "holds no key"), (b"\xff", "no text")],
)
def test_an_unusable_file_is_told(tmp_path: Path, content: bytes | None, message: str) -> None:
    """One sentence with the file's name."""
    file = tmp_path / "keys"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_keys("", str(file))


def test_a_setting_without_a_key_is_told() -> None:
    """Whoever sets it means to need one."""
    with pytest.raises(UsageError, match="names no key"):
        read_keys(",", "")


@pytest.mark.parametrize("given", ["k\u00e9y", "a\tb"])
def test_an_unusable_key_is_told_but_not_shown(given: str) -> None:
    """A key never comes up in an error."""
    with pytest.raises(UsageError, match="no header can carry") as raised:
        read_keys(given, "")
    assert given not in str(raised.value)
