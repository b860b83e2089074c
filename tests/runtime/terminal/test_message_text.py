"""Tests of what was typed as a message."""

import pytest

from runtime.terminal.message_text import is_complete, message_of


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("hello", "hello"),
        ("", ""),
        ("one\\\ntwo", "one\ntwo"),
        ('"""one line"""', "one line"),
        ('"""\none\n\ntwo\\\n"""', "one\n\ntwo\\"),
        ("pasted\nlines", "pasted\nlines"),
        ('say """ twice', 'say """ twice'),
    ],
)
def test_a_whole_message(typed: str, message: str) -> None:
    """It is complete, and its marks are not part of it."""
    assert is_complete(typed)
    assert message_of(typed) == message


@pytest.mark.parametrize("typed", ["one\\", '"""', '"""one', '"""one\ntwo', '  """a""'])
def test_the_beginning_of_a_message(typed: str) -> None:
    """More lines belong to it."""
    assert not is_complete(typed)
