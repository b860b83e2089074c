"""What becomes known of a request while it is answered, for the log."""

from collections.abc import Iterable
from contextvars import ContextVar

import msgspec


class RequestFacts(msgspec.Struct):
    """One request.

    Args:
        id: Names it in the answer and in the log.
        status: The answer's HTTP status; 0 while there is none.
        is_whole: Whether all of the answer was sent.
        prompt_tokens: The length of all prompts, where any was read.
        completion_tokens: Tokens of all finished choices.
    """

    id: str
    status: int = 0
    is_whole: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def add_prompts(self, sizes: Iterable[int]) -> None:
        """Note how many tokens prompts have, or texts to embed."""
        self.prompt_tokens = (self.prompt_tokens or 0) + sum(sizes)

    def add_completion(self, num_tokens: int) -> None:
        """Note what was generated for one choice."""
        self.completion_tokens = (self.completion_tokens or 0) + num_tokens


# Each request is answered in a task of its own, so each has its own value.
current_facts: ContextVar[RequestFacts | None] = ContextVar("current_facts", default=None)
