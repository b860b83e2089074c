"""What a workload is: one round on one server, and what it measures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.servers import Server, Sizes


@dataclass(frozen=True, slots=True)
class Target:
    """What our figure should be beside llama-server's.

    Args:
        kind: What is bounded: ours divided by theirs, or ours less theirs.
        bound: The limit, itself allowed.
        is_most: Whether it is the largest allowed value; else the smallest.
    """

    kind: Literal["ratio", "difference"]
    bound: float
    is_most: bool

    @property
    def text(self) -> str:
        """The target as the tables show it."""
        sign = "<=" if self.is_most else ">="
        return f"{sign} {self.bound:g}" if self.kind == "ratio" else f"{sign} +{self.bound:g}"

    def is_met(self, *, ratio: float, difference: float) -> bool:
        """Say whether a comparison is within the limit."""
        value = ratio if self.kind == "ratio" else difference
        return value <= self.bound if self.is_most else value >= self.bound


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a workload.

    Args:
        name: What it is called, in the tables and in the results.
        unit: What it is counted in.
        is_rate: Whether more is better.
        target: What is wanted beside llama-server; None where nothing is.
    """

    name: str
    unit: str
    is_rate: bool
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """Something servers are given to do.

    Args:
        name: What it is called on the command line.
        summary: What happens, in one line.
        num_clients: Requests the servers are started for.
        n_ctx_per_client: Tokens of context for each.
        metrics: What comes out.
        measure: Does one round from starting the server on; returns each metric's value by name.
        num_warmups: Rounds before the first that do not count.
        needs_concurrency: Whether it says nothing of servers that take one request at a time.
    """

    name: str
    summary: str
    num_clients: int
    n_ctx_per_client: int
    metrics: tuple[Metric, ...]
    measure: Callable[[Server, Sizes], dict[str, float]]
    num_warmups: int = 0
    needs_concurrency: bool = False

    def sizes(self, n_threads: int) -> Sizes:
        """Return what its servers get."""
        return Sizes(self.num_clients, self.n_ctx_per_client, n_threads)


def at_least(bound: float) -> Target:
    """Return a smallest allowed ratio."""
    return Target("ratio", bound, is_most=False)


def at_most(bound: float) -> Target:
    """Return a largest allowed ratio."""
    return Target("ratio", bound, is_most=True)
