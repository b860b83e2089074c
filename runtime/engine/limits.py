"""What a request may take of the engine's time, and how many may wait for it."""

import time

from runtime.engine.sequence import Sequence
from runtime.errors import AppError


class BusyError(AppError):
    """The engine has too much to do for a request; a later one may find it free."""


class QueueFullError(BusyError):
    """As many requests wait as may.

    Args:
        num_unfinished: How many are running and waiting.
    """

    def __init__(self, num_unfinished: int) -> None:
        super().__init__(
            f"The server is busy: {num_unfinished} requests are running or waiting.",
            hint="Try again later, or start the server with a larger --max-queue.",
        )


class DeadlineError(BusyError):
    """A request's time was over before its first token.

    Args:
        timeout_s: Seconds it had.
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            f"No token was generated within {timeout_s:g} seconds.",
            hint="Try again later, shorten the prompt, or start with a larger --timeout.",
        )


def is_late(sequence: Sequence) -> bool:
    """Say whether a request has had all the time it may take."""
    timeout_s = sequence.request.timeout_s
    return timeout_s is not None and time.monotonic() - sequence.submitted_at >= timeout_s


def has_generated_long_enough(sequence: Sequence, text: str) -> bool:
    """Say whether a request ends with this piece of its text, which may complete a line.

    As with llama-server, the time for generating ends an answer only at the end of a line.
    """
    max_generation_s = sequence.request.max_generation_s
    if max_generation_s is None or "\n" not in text:
        return False
    return sequence.stats().generation_s > max_generation_s
