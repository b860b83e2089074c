"""Tests of choosing how tokens are guessed ahead."""

import pytest

from runtime.engine.speculation import SpeculationOptions
from runtime.errors import UsageError


def test_guessing_can_be_turned_off() -> None:
    """Lookup in the prompt is the default, and `none` is nothing."""
    assert SpeculationOptions().drafter() is not None
    assert SpeculationOptions(spec_type="none").drafter() is None


def test_an_unknown_way_is_refused() -> None:
    """The error names the value and what may stand there."""
    with pytest.raises(UsageError, match="spec-type is lucky") as caught:
        SpeculationOptions(spec_type="lucky")
    assert "ngram-simple or none" in str(caught.value.hint)
