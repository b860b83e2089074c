"""Tests of turning tokens' bytes into text that is safe to show."""

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
