"""Clients that ask at the same moment, each on a thread and a connection of its own."""

import statistics
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from bench.client import Answer, Messages, ask
from bench.process import Process


def ask_together(
    process: Process, conversations: Iterable[Messages], max_tokens: int
) -> list[Answer]:
    """Return the answers to requests that are sent at once."""
    waiting = list(conversations)
    with ThreadPoolExecutor(len(waiting)) as clients:
        return list(clients.map(lambda each: ask(process, each, max_tokens), waiting))


def tokens_per_s(answers: list[Answer]) -> float:
    """Return the tokens generated a second, from the first request to the last answer's end."""
    seconds = max(answer.ended for answer in answers) - min(answer.sent for answer in answers)
    return sum(answer.num_tokens for answer in answers) / seconds


def median_first_text_s(answers: list[Answer]) -> float:
    """Return the median client's seconds from its request to its first text."""
    return statistics.median(answer.first_text_s for answer in answers)
