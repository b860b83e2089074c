"""Tests of how much a sequence drafts after good and bad guesses."""

from runtime.engine.draft_pace import (
    MAX_LENGTH,
    MAX_MATCH,
    MIN_MATCH,
    START_LENGTH,
    START_MATCH,
    DraftPace,
)


def test_good_drafts_make_the_next_longer_and_easier() -> None:
    """Whole drafts that are right double the length and lower the bar, within bounds."""
    pace = DraftPace()
    pace.learn(START_LENGTH, START_LENGTH)
    assert pace.length == 2 * START_LENGTH
    assert pace.needed_match == max(MIN_MATCH, START_MATCH // 2)
    for _ in range(10):
        pace.learn(pace.length, pace.length)
    assert (pace.length, pace.needed_match) == (MAX_LENGTH, MIN_MATCH)


def test_bad_drafts_make_the_next_rarer() -> None:
    """Drafts that are mostly wrong raise the bar, up to where a text must be a long copy."""
    pace = DraftPace()
    pace.learn(START_LENGTH, 0)
    assert (pace.length, pace.needed_match) == (START_LENGTH, 2 * START_MATCH)
    for _ in range(10):
        pace.learn(START_LENGTH, 0)
    assert pace.needed_match == MAX_MATCH


def test_half_good_drafts_are_shortened() -> None:
    """A draft that was right to half or more of it leaves the bar as it is."""
    pace = DraftPace()
    pace.length = 8
    pace.learn(8, 5)
    assert (pace.length, pace.needed_match) == (5, START_MATCH)
