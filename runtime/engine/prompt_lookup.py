"""Where a sequence repeats itself: what followed its last tokens when they came before."""

# Shorter runs come back by chance all the time, and longer ones are found some tokens later.
NGRAM = 3
# How far back two places are compared.
MAX_MATCH = 64


class PromptLookup:
    """Follows one sequence's tokens and finds the earlier place that its end repeats.

    Each n-gram's latest place is kept in a dict, so a new token costs the same however long the
    sequence is.

    Attributes:
        match_length: How many tokens at the end are the same as at the earlier place.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[int, ...], int] = {}
        self._num_indexed = 0
        self._num_followed = 0
        self._place = 0
        self.match_length = 0

    def follow(self, tokens: list[int]) -> None:
        """Take in what a sequence has grown by since the last call.

        Args:
            tokens: All of its tokens; those already seen are the same as before.
        """
        for position in range(self._num_followed, len(tokens)):
            if self.match_length and tokens[self._place] == tokens[position]:
                self._place += 1
                self.match_length += 1
            else:
                self.match_length = 0
        self._num_followed = len(tokens)
        self._index(tokens)
        if not self.match_length:
            self._find(tokens)

    def continuation(self, tokens: list[int], count: int) -> list[int]:
        """Return up to `count` tokens that followed at the earlier place."""
        return tokens[self._place : self._place + count] if self.match_length else []

    def _index(self, tokens: list[int]) -> None:
        """Note the n-grams that have a token behind them."""
        begin, end = self._num_indexed, len(tokens) - NGRAM
        if end > begin:
            shifted = [tokens[begin + offset : end + offset] for offset in range(NGRAM)]
            self._places.update(zip(zip(*shifted, strict=True), range(begin, end), strict=True))
            self._num_indexed = end

    def _find(self, tokens: list[int]) -> None:
        start = self._places.get(tuple(tokens[-NGRAM:]))
        if start is None:
            return
        self._place = start + NGRAM
        self.match_length = NGRAM
        while (
            self.match_length < min(self._place, MAX_MATCH)
            and tokens[self._place - 1 - self.match_length] == tokens[-1 - self.match_length]
        ):
            self.match_length += 1
