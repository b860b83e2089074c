"""Tests of finding the earlier place that a sequence's end repeats."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.prompt_lookup import MAX_MATCH, NGRAM, PromptLookup


def test_a_repeated_run_is_found() -> None:
    """What followed a run of tokens is proposed when the run comes again."""
    lookup = PromptLookup()
    tokens = [1, 2, 3, 4, 5, 6, 7, 2, 3, 4]
    lookup.follow(tokens)
    assert lookup.match_length == NGRAM
    assert lookup.continuation(tokens, 2) == [5, 6]
    assert lookup.continuation(tokens, 100) == [5, 6, 7, 2, 3, 4]


def test_a_run_that_never_came_proposes_nothing() -> None:
    """New text has no draft."""
    lookup = PromptLookup()
    for tokens in ([1], [1, 2, 3, 4], [1, 2, 3, 4, 5, 1, 2]):
        lookup.follow(tokens)
        assert lookup.match_length == 0
        assert lookup.continuation(tokens, 5) == []


def test_the_latest_place_wins_until_it_differs() -> None:
    """A place is followed as long as it fits, and then the latest one is looked up."""
    lookup = PromptLookup()
    tokens = [1, 2, 3, 10, 11, 1, 2, 3, 20, 21, 1, 2, 3]
    lookup.follow(tokens)
    assert lookup.continuation(tokens, 2) == [20, 21]
    tokens += [20]
    lookup.follow(tokens)
    assert lookup.match_length == NGRAM + 1
    assert lookup.continuation(tokens, 1) == [21]
    tokens += [99]
    lookup.follow(tokens)
    assert lookup.match_length == 0


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), num_kinds=st.integers(1, 4))
def test_what_is_found_is_there(seed: int, num_kinds: int) -> None:
    """A match is a place before the end with the same tokens; each repeated n-gram is found."""
    chance = random.Random(seed)
    lookup = PromptLookup()
    tokens: list[int] = []
    for _ in range(40):
        tokens += [chance.randrange(num_kinds) for _ in range(chance.randint(1, 4))]
        lookup.follow(tokens)
        last = tokens[-NGRAM:]
        earlier = [tokens[place : place + NGRAM] for place in range(len(tokens) - NGRAM)]
        assert (lookup.match_length > 0) == (last in earlier)
        if lookup.match_length:
            place = lookup._place
            assert NGRAM <= lookup.match_length <= place < len(tokens)
            length = lookup.match_length
            assert tokens[place - length : place] == tokens[-length:]
    assert lookup.match_length <= max(MAX_MATCH, len(tokens))
