"""How much one sequence drafts: more while its drafts are accepted, less when they are not."""

# Of first lengths 2 and 4, longest 8 and 15, and matches from 4 to 24 tokens, these gave the most
# for a repeated list and a repeated file of code, and slowed no chat (SmolLM2-135M, with the times
# in `drafting.py`).
START_LENGTH = 2
MAX_LENGTH = 8
START_MATCH = 8
MIN_MATCH = 4
MAX_MATCH = 64


class DraftPace:
    """Learns from each draft how long the next may be, and how good its reason must be.

    Attributes:
        length: Tokens to draft.
        needed_match: How many tokens must have come before like this for a draft to be made.
    """

    def __init__(self) -> None:
        self.length = START_LENGTH
        self.needed_match = START_MATCH

    def learn(self, num_drafted: int, num_accepted: int) -> None:
        """Take in how a draft went."""
        if num_accepted == num_drafted:
            self.length = min(MAX_LENGTH, self.length * 2)
            self.needed_match = max(MIN_MATCH, self.needed_match // 2)
        elif num_accepted * 2 >= num_drafted:
            self.length = max(START_LENGTH, num_accepted)
        else:
            self.length = START_LENGTH
            self.needed_match = min(MAX_MATCH, self.needed_match * 2)
