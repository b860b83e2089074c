"""Tests of turning tokens' bytes into text that is safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.text import TextStream


def _stream(pieces: list[bytes], stop: list[str]) -> tuple[str, str | None]:
    """Push pieces as the engine does, and return the text shown and the stop string met."""
    stream = TextStream(stop)
    shown = ""
    for piece in pieces:
        shown += stream.push(piece)
        if stream.stopped_by is not None:
            return shown, stream.stopped_by
    return shown + stream.finish(), None


@given(st.text(), st.integers(1, 4))
def test_characters_are_never_split(text: str, size: int) -> None:
    """Bytes that come in any portions make the same text, and no half character is shown."""
    data = text.encode()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert _stream(pieces, []) == (text, None)


def test_a_broken_character_at_the_end_is_replaced() -> None:
    """A text cut inside a character ends with the replacement character."""
    assert _stream(["é".encode()[:1]], []) == ("�", None)


@given(st.text("abc", max_size=30), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_text_ends_before_the_first_stop_string(text: str, stop: list[str]) -> None:
    """Whatever token borders cross it, nothing from a stop string on is shown."""
    pieces = [character.encode() for character in text]
    shown, stopped_by = _stream(pieces, stop)
    ends = [(text.find(one) + len(one), one) for one in stop if one in text]
    if ends:
        assert stopped_by in stop
        first_end = min(ends)[0]
        assert (shown + (stopped_by or "")) == text[:first_end]
    else:
        assert (shown, stopped_by) == (text, None)


def test_text_that_might_become_a_stop_string_is_held_back() -> None:
    """The beginning of a stop string is not shown until it turns out to be none."""
    stream = TextStream(["END"])
    assert stream.push(b"the E") == "the "
    assert stream.push(b"N") == ""
    assert stream.push(b"! ") == "EN! "


def test_empty_stop_strings_are_ignored() -> None:
    """An empty stop string does not end every text."""
    assert _stream([b"hello"], [""]) == ("hello", None)


@pytest.mark.parametrize("character", ["é", "€", "𝄞"])
def test_a_character_is_shown_with_its_last_byte(character: str) -> None:
    """Wherever tokens split it, a character comes whole, with its last byte and not before."""
    data = character.encode()
    for cut in range(1, len(data)):
        stream = TextStream([])
        assert stream.push(b"a" + data[:cut]) == "a"
        assert stream.push(data[cut:] + b"b") == character + "b"
    stream = TextStream([])
    shown = [stream.push(bytes([byte])) for byte in data]
    assert shown == [""] * (len(data) - 1) + [character]


@given(
    st.lists(st.sampled_from(["a", "é", "€", "𝄞"]), max_size=12).map("".join),
    st.lists(
        st.lists(st.sampled_from(["a", "é", "€", "𝄞"]), min_size=1, max_size=3).map("".join),
        min_size=1,
        max_size=3,
    ),
    st.integers(1, 5),
)
def test_stop_strings_are_found_across_bytes_and_tokens(
    text: str, stop: list[str], size: int
) -> None:
    """A stop string that tokens split inside a character is found; nothing of it is shown."""
    data = text.encode()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    shown, stopped_by = _stream(pieces, stop)
    if any(one in text for one in stop):
        assert stopped_by in stop
        assert text.startswith(shown + (stopped_by or ""))
        assert not any(one in shown for one in stop)
    else:
        assert (shown, stopped_by) == (text, None)


def test_overlapping_stop_strings_end_at_the_first_that_is_complete() -> None:
    """A stop string inside the beginning of another one ends the text when it is complete."""
    stream = TextStream(["abcd", "bc"])
    assert [stream.push(piece) for piece in (b"xa", b"b", b"c")] == ["x", "", "a"]
    assert stream.stopped_by == "bc"
