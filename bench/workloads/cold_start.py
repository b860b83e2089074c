"""From starting the program to the first text of its first answer, over HTTP."""

import atexit
import functools
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench.client import ask, messages
from bench.process import running
from bench.servers import OURS, Server, Sizes, solofile
from bench.workloads.workload import Metric, Workload, at_most

PROMPT = "What is the capital of France?"


def measure(server: Server, sizes: Sizes) -> dict[str, float]:
    """Start the server and ask until it answers."""
    started = time.monotonic()
    with running(server, sizes) as process:
        answer = ask(process, messages(PROMPT), 4)
    return {"exec to first text": answer.arrivals[0] - started}


def measure_first(server: Server, sizes: Sizes) -> dict[str, float]:
    """Start the server as on a machine that it was just copied to, and ask until it answers."""
    variables = server.variables | {"SOLOFILE_CACHE": tempfile.mkdtemp(dir=_folder())}
    return measure(replace(server, variables=variables), sizes)


def measure_baked(server: Server, sizes: Sizes) -> dict[str, float]:
    """Start the server, ours with its system prompt baked in, and ask until it answers."""
    return measure(_baked() if server.name == OURS else server, sizes)


@functools.cache
def _baked() -> Server:
    return solofile(Path(_folder()), is_baked=True)


@functools.cache
def _folder() -> str:
    """Return a folder that is removed at the end.

    Not after each round: ext4 takes milliseconds for a file where hundreds were just removed.
    """
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return folder.name


COLD_START = Workload(
    name="cold-start",
    summary="exec to the first text of a streamed answer, asked every 2 ms until it comes",
    num_clients=4,
    n_ctx_per_client=512,
    metrics=(Metric("exec to first text", "s", is_rate=False, target=at_most(0.5)),),
    measure=measure,
    # The files come into the page cache, and a new runtime is unpacked.
    num_warmups=1,
)

FIRST_START = Workload(
    name="first-start",
    summary="the same where no runtime is unpacked yet, as after copying",
    num_clients=COLD_START.num_clients,
    n_ctx_per_client=COLD_START.n_ctx_per_client,
    metrics=(Metric("exec to first text", "s", is_rate=False, target=at_most(1.0)),),
    measure=measure_first,
    num_warmups=1,
)

BAKED_START = Workload(
    name="baked-start",
    summary="as cold-start, with the system prompt baked into ours",
    num_clients=COLD_START.num_clients,
    n_ctx_per_client=COLD_START.n_ctx_per_client,
    metrics=COLD_START.metrics,
    measure=measure_baked,
    num_warmups=1,
)
