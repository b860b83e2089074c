"""Branding as the manifest holds it."""

import msgspec
import pytest

from runtime.branding import Branding


def test_empty_fields_take_no_room() -> None:
    """Only what was given is written."""
    assert msgspec.json.encode(Branding()) == b"{}"
    assert msgspec.json.encode(Branding(color="#0A7d6C")) == b'{"color":"#0A7d6C"}'


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#12345g", "#000000;}", ""])
def test_a_color_is_nothing_else(color: str) -> None:
    """What is no colour is not read, since it would end in a style sheet."""
    with pytest.raises(msgspec.ValidationError, match="color"):
        msgspec.json.decode(msgspec.json.encode({"color": color}), type=Branding)
