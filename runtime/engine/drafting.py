"""Drafts: guesses at the next tokens, which go into the batch behind a sequence's last token.

The sequence's sampler then chooses token by token as ever, and a guess only saves a batch where
it is what was chosen, so the text is the same as without.
"""

from collections.abc import Mapping
from collections.abc import Sequence as ReadOnlyList
from itertools import takewhile
from typing import Protocol

from runtime.engine.prompt_lookup import PromptLookup
from runtime.engine.sequence import Sequence

# A batch of 1, 2, 4, 8, 16 tokens took 7.7, 13.6, 19.8, 33.8, 61 ms (SmolLM2-135M, 2 cores): a
# further token costs about half of a first. Tokens that several sequences decode together are as
# cheap as that, so drafts gain little beyond 4 of them; beyond 16 tokens a batch gets no cheaper,
# and all wait for it.
MAX_DRAFTING = 4
MAX_CHECKED = 16


class Drafter(Protocol):
    """Guesses how sequences go on."""

    def propose(self, limits: Mapping[Sequence, int]) -> dict[Sequence, list[int]]:
        """Return a draft for each sequence that has a good one.

        Args:
            limits: Decoding sequences, and the longest useful draft for each.
        """

    def learn(self, sequence: Sequence, num_drafted: int, num_accepted: int) -> None:
        """Take in how many tokens of a sequence's last draft were right."""

    def forget(self, sequence: Sequence) -> None:
        """Free what is held for a sequence that no longer runs."""


class PromptLookupDrafter:
    """Guesses that what came before comes again, as in an edited text or a quoted one."""

    def propose(self, limits: Mapping[Sequence, int]) -> dict[Sequence, list[int]]:
        """Return drafts; see `Drafter.propose`."""
        drafts = {sequence: self._draft(sequence, limit) for sequence, limit in limits.items()}
        return {sequence: draft for sequence, draft in drafts.items() if draft}

    @staticmethod
    def _draft(sequence: Sequence, limit: int) -> list[int]:
        if sequence.lookup is None:
            sequence.lookup = PromptLookup()
        lookup = sequence.lookup
        lookup.follow(sequence.tokens)
        if lookup.match_length < sequence.pace.needed_match:
            return []
        guess = lookup.continuation(sequence.tokens, min(limit, sequence.pace.length))
        # No image is generated.
        return list(takewhile(lambda token: token >= 0, guess))

    def learn(self, sequence: Sequence, num_drafted: int, num_accepted: int) -> None:
        """Change the sequence's pace; see `Drafter.learn`."""
        sequence.pace.learn(num_drafted, num_accepted)

    def forget(self, sequence: Sequence) -> None:
        """Keep the lookup, which the sequence itself has: it may run again."""


class DrafterChain:
    """Asks several drafters, each for the sequences that those before it have no draft for."""

    def __init__(self, drafters: ReadOnlyList[Drafter]) -> None:
        self._drafters = drafters
        self._authors: dict[Sequence, Drafter] = {}

    def propose(self, limits: Mapping[Sequence, int]) -> dict[Sequence, list[int]]:
        """Return drafts; see `Drafter.propose`."""
        drafts: dict[Sequence, list[int]] = {}
        self._authors = {}
        for drafter in self._drafters:
            left = {sequence: limits[sequence] for sequence in limits if sequence not in drafts}
            more = drafter.propose(left) if left else {}
            self._authors |= dict.fromkeys(more, drafter)
            drafts |= more
        return drafts

    def learn(self, sequence: Sequence, num_drafted: int, num_accepted: int) -> None:
        """Tell it to whose draft it was; see `Drafter.learn`."""
        self._authors[sequence].learn(sequence, num_drafted, num_accepted)

    def forget(self, sequence: Sequence) -> None:
        """Let all of them forget a sequence; see `Drafter.forget`."""
        for drafter in self._drafters:
            drafter.forget(sequence)


def draft_limits(
    decoding: ReadOnlyList[Sequence], num_free: int, n_ctx: int
) -> dict[Sequence, int]:
    """Return how many tokens each sequence may draft, without those that may none.

    Args:
        decoding: The sequences that decode in a batch.
        num_free: Tokens that still fit into it.
        n_ctx: As many tokens as a sequence may have.
    """
    if not 0 < len(decoding) <= MAX_DRAFTING:
        return {}
    share = min(MAX_CHECKED - len(decoding), num_free) // len(decoding)
    limits = {sequence: min(share, _num_useful(sequence, n_ctx)) for sequence in decoding}
    return {sequence: limit for sequence, limit in limits.items() if limit > 0}


def _num_useful(sequence: Sequence, n_ctx: int) -> int:
    """Return how many drafted tokens a sequence has use for: the last one is sampled anyway.

    So where one is full, and ends or forgets some of its tokens, no guess is left to check.
    """
    max_tokens = sequence.request.max_tokens
    room = n_ctx - len(sequence.tokens)
    if max_tokens is not None:
        room = min(room, max_tokens - sequence.num_completion_tokens)
    return room - 1
