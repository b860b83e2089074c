"""From starting a program to the first text of its first answer, over HTTP."""

import statistics
import time
from dataclasses import dataclass

from bench.servers import Server, first_token, running

PROMPT = "What is the capital of France?"


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """The seconds each start took, in order."""

    name: str
    seconds: list[float]

    @property
    def median_s(self) -> float:
        """The median start, in seconds."""
        return statistics.median(self.seconds)


def measure(servers: list[Server], *, rounds: int) -> list[ColdStarts]:
    """Start each server in turn, round after round, after one round that does not count."""
    seconds: dict[str, list[float]] = {server.name: [] for server in servers}
    for number in range(rounds + 1):
        for server in servers:
            taken = _one_start(server)
            if number:
                seconds[server.name].append(taken)
    return [ColdStarts(name, taken) for name, taken in seconds.items()]


def _one_start(server: Server) -> float:
    started = time.monotonic()
    with running(server) as port:
        return first_token(port, PROMPT) - started
