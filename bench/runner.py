"""Runs workloads: servers in turn, round after round, so that a busy machine meets them all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bench.servers import OTHERS, OURS, Server, solofile
from bench.workloads.chat import CHAT
from bench.workloads.clients import CLIENTS
from bench.workloads.cold_start import BAKED_START, COLD_START, FIRST_START
from bench.workloads.decode import DECODE
from bench.workloads.long_prompt import LONG_PROMPT
from bench.workloads.prompt import PROMPT
from bench.workloads.shared_prefix import SHARED_PREFIX
from bench.workloads.workload import Workload
from builder import console
from runtime.errors import AppError

WORKLOADS = {
    workload.name: workload
    for workload in (
        COLD_START,
        FIRST_START,
        BAKED_START,
        DECODE,
        PROMPT,
        CLIENTS,
        SHARED_PREFIX,
        LONG_PROMPT,
        CHAT,
    )
}


@dataclass(frozen=True, slots=True)
class Run:
    """What a workload gave.

    Args:
        workload: Which one.
        commands: How each server was started, by its name; `--port N` was added.
        samples: Each server's figures, one dictionary for each round.
    """

    workload: Workload
    commands: dict[str, list[str]]
    samples: dict[str, list[dict[str, float]]] = field(default_factory=dict)


def set_up(names: Iterable[str]) -> list[Server]:
    """Return our server, and the others that can be had; the rest is named in a warning.

    Raises:
        AppError: The solofile cannot be made.
    """
    servers = [solofile()]
    for name in names:
        server = _had(OTHERS[name], name)
        if server:
            servers.append(server)
    return servers


def run(workload: Workload, servers: list[Server], *, rounds: int, n_threads: int) -> Run:
    """Run a workload; another server that fails is left out from there on.

    Raises:
        AppError: Ours failed.
    """
    taking_part = [server for server in servers if _suits(workload, server)]
    sizes = workload.sizes(n_threads)
    result = Run(workload, {server.name: server.command(sizes) for server in taking_part})
    for number in range(1 - workload.num_warmups, rounds + 1):
        for server in list(taking_part):
            console.info(f"{workload.name}, round {max(number, 0)} of {rounds}: {server.name}")
            try:
                figures = workload.measure(server, sizes)
            except AppError as error:
                if server.name == OURS:
                    raise
                console.warning(f"{error.message} It is left out of {workload.name}. {error.hint}")
                taking_part.remove(server)
                result.samples.pop(server.name, None)
                continue
            if number > 0:
                result.samples.setdefault(server.name, []).append(figures)
    return result


def _had(factory: Callable[[], Server], name: str) -> Server | None:
    try:
        return factory()
    except AppError as error:
        console.warning(f"Going on without {name}. {error.message} {error.hint}".rstrip())
        return None


def _suits(workload: Workload, server: Server) -> bool:
    if workload.needs_concurrency and not server.is_concurrent:
        console.info(f"{server.name} takes one request at a time: left out of {workload.name}.")
        return False
    return True
