"""What becomes known of a request while it is answered, for the log."""

from contextvars import ContextVar

import msgspec


class RequestFacts(msgspec.Struct):
    """One request.

    Args:
        id: Names it in the answer and in the log.
        status: The answer's HTTP status; 0 while there is none.
        is_whole: Whether all of the answer was sent.
        prompt_tokens: The prompt's length, where one was read.
        completion_tokens: Tokens generated so far, of all choices.
    """

    id: str
    status: int = 0
    is_whole: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def count(self, prompt_tokens: int, completion_tokens: int | None) -> None:
        """Note the tokens of one choice; all choices of a request have one prompt."""
        self.prompt_tokens = prompt_tokens
        if completion_tokens is not None:
            self.completion_tokens = (self.completion_tokens or 0) + completion_tokens


# Each request is answered in a task of its own, so each has its own value.
current_facts: ContextVar[RequestFacts | None] = ContextVar("current_facts", default=None)
