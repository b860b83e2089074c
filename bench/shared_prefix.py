"""Eight clients that arrive together with the same long system prompt, new to the server."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.servers import Server, complete, first_token, running

NUM_CLIENTS = 8
# Room for each client's conversation, where a server divides its context between them.
N_CTX = NUM_CLIENTS * 1024
MAX_TOKENS = 32
# About 600 tokens.
SHARED_PROMPT = "You work at a help desk. " + " ".join(
    f"Rule {number}: read the question twice before you answer it." for number in range(1, 41)
)
QUESTIONS = [
    f"What should a visitor know about {city}?"
    for city in ("Rome", "Oslo", "Lima", "Cairo", "Delhi", "Tokyo", "Quito", "Paris")
]


@dataclass(frozen=True, slots=True)
class Throughputs:
    """What each round gave, in generated tokens a second, from the first request to the last end.

    Args:
        name: The server's.
        tokens_per_s: One for each round.
        prompt_tokens: The length of one client's prompt.
    """

    name: str
    tokens_per_s: list[float]
    prompt_tokens: int

    @property
    def median(self) -> float:
        """The median round, in tokens a second."""
        return statistics.median(self.tokens_per_s)


def measure(servers: list[Server], *, rounds: int) -> list[Throughputs]:
    """Ask each server in turn, round after round, each time from a fresh start."""
    rates: dict[str, list[float]] = {server.name: [] for server in servers}
    lengths: dict[str, int] = {}
    for _ in range(rounds):
        for server in servers:
            rate, lengths[server.name] = _one_round(server)
            rates[server.name].append(rate)
    return [Throughputs(name, rates[name], lengths[name]) for name in rates]


def _one_round(server: Server) -> tuple[float, int]:
    """Return the tokens a second of all clients together, and a prompt's length."""
    with running(server) as port, ThreadPoolExecutor(NUM_CLIENTS) as clients:
        # Loaded and warm, with nothing of the shared prompt in its cache.
        first_token(port, "Hello.")
        started = time.monotonic()
        usages = list(
            clients.map(
                lambda question: complete(port, SHARED_PROMPT, question, MAX_TOKENS), QUESTIONS
            )
        )
        taken = time.monotonic() - started
    generated = sum(usage["completion_tokens"] for usage in usages)
    return generated / taken, usages[0]["prompt_tokens"]
