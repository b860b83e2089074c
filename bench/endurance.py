"""Minutes of random load on a running solofile, and then proof that nothing of it is left.

Run it alone with `python -m bench.endurance SOLOFILE --minutes 10`; Linux only.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.random_load import PATH, TIMEOUT_S, Client, Tally

N_CTX = 2048
NUM_PARALLEL = 4
# More than run at once, so that some always wait.
NUM_CLIENTS = 8
POLL_S = 0.5
# How long the last answers may take, and the engine to hear of clients that have gone.
SETTLE_S = 60
MAX_GROWTH_BYTES = 10_000_000
# The kernel may keep a closed connection for a moment.
MAX_MORE_FILES = 2
# Tokens that the chat's frame adds, generously.
SPARE_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Sample:
    """The server at one moment: seconds since the start, anonymous memory, files, requests."""

    at_s: float
    anonymous_bytes: int
    num_files: int
    num_running: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was asked, how the server stood, and everything that was wrong.

    Args:
        seconds: How long the load took.
        num_answered: Requests by kind.
        anonymous_bytes: Memory that is the process's own: before, after a third, and at the end.
        num_files: Open files before and at the end.
        metrics: The server's metrics at the end.
        failures: Empty for a sound server.
    """

    seconds: float
    num_answered: dict[str, int]
    anonymous_bytes: tuple[int, int, int]
    num_files: tuple[int, int]
    metrics: dict[str, float]
    failures: list[str]


def measure(
    url: str,
    pid: int,
    *,
    seconds: float,
    seed: int = 0,
    max_growth_bytes: int = MAX_GROWTH_BYTES,
) -> Report:
    """Load a server for some time, and look for what is left of it.

    Args:
        url: Its address.
        pid: Its process.
        seconds: How long clients ask; unfinished answers are waited for.
        seed: What decides the requests.
        max_growth_bytes: How much its memory may grow over the last two thirds of that time.
    """
    n_ctx = int(_metrics(url)["solofile:cells"])
    started = time.monotonic()
    before = _sample(url, pid, started)
    tally = Tally()
    clients = [Client(url, n_ctx, seed * 1000 + number, tally) for number in range(NUM_CLIENTS)]
    threads = [threading.Thread(target=client.run, args=(started + seconds,)) for client in clients]
    for thread in threads:
        thread.start()
    samples = [before]
    while any(thread.is_alive() for thread in threads):
        time.sleep(POLL_S)
        samples.append(_sample(url, pid, started))
    _settle(url)
    after = _sample(url, pid, started)
    later = [sample for sample in samples if sample.at_s >= seconds / 3]
    failures = [
        *tally.failures,
        *_left_over(_metrics(url)),
        *_grown(later, after, before, max_growth_bytes),
        *_unusable_cells(url, n_ctx),
    ]
    return Report(
        seconds=seconds,
        num_answered=dict(sorted(tally.num_answered.items())),
        anonymous_bytes=(before.anonymous_bytes, later[0].anonymous_bytes, after.anonymous_bytes),
        num_files=(before.num_files, after.num_files),
        metrics=_metrics(url),
        failures=failures,
    )


def _left_over(metrics: dict[str, float]) -> list[str]:
    """Return what an idle server should not have."""
    names = (
        "llamacpp:requests_processing",
        "llamacpp:requests_deferred",
        "solofile:cells_running",
    )
    return [f"{name} is {metrics[name]:g} at the end" for name in names if metrics[name]]


def _grown(later: list[Sample], after: Sample, before: Sample, max_growth_bytes: int) -> list[str]:
    """Return what grew over the last two thirds, and whether requests ran side by side there."""
    failures = []
    growth = after.anonymous_bytes - later[0].anonymous_bytes
    if growth > max_growth_bytes:
        failures.append(f"memory grew by {growth / 1e6:.1f} MB over the last two thirds")
    if after.num_files > before.num_files + MAX_MORE_FILES:
        failures.append(f"{after.num_files} files are open, {before.num_files} before")
    if max(sample.num_running for sample in later) < NUM_PARALLEL:
        failures.append("the server no longer works on as many requests as it may")
    return failures


def _unusable_cells(url: str, n_ctx: int) -> list[str]:
    """Fill the whole context with one prompt: the cache must give up every cell for it."""
    status, answer = _ask(url, "word " * (n_ctx * 2))
    if status != 400:
        return [f"an overlong prompt was answered with {status}"]
    per_word = answer["error"]["n_prompt_tokens"] / (n_ctx * 2)
    status, answer = _ask(url, "word " * int((n_ctx - SPARE_TOKENS) / per_word))
    if status != 200:
        return [f"a prompt of the context's length was answered with {status}: {answer}"]
    used = _metrics(url)["solofile:cells_used"]
    if not n_ctx - 2 * SPARE_TOKENS <= used <= n_ctx:
        return [f"{used:g} of {n_ctx} cells are in use after a prompt that fills them"]
    return []


def _ask(url: str, prompt: str) -> tuple[int, Any]:
    messages = [{"role": "user", "content": prompt}]
    body = json.dumps({"messages": messages, "max_tokens": 2, "temperature": 0}).encode()
    try:
        with urllib.request.urlopen(url + PATH, body, timeout=TIMEOUT_S) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def _settle(url: str) -> None:
    """Wait until the server has nothing to do, or should have."""
    deadline = time.monotonic() + SETTLE_S
    while _left_over(_metrics(url)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    time.sleep(POLL_S)


def _metrics(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/metrics", timeout=TIMEOUT_S) as response:
        lines = response.read().decode().splitlines()
    values = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in values}


def _sample(url: str, pid: int, started: float) -> Sample:
    # Anonymous, since the mapped weights come and go with what the system has room for.
    memory = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    match = re.search(r"^Anonymous:\s+(\d+) kB", memory, re.MULTILINE)
    assert match, "Linux tells of anonymous memory"
    num_running = _metrics(url)["llamacpp:requests_processing"]
    num_files = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 (its entries vanish)
    return Sample(time.monotonic() - started, int(match[1]) * 1024, num_files, num_running)


def main() -> int:
    """Serve a solofile, load it, and print the report as JSON; 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("solofile", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    size = ["-c", str(N_CTX), "-np", str(NUM_PARALLEL)]
    command = [arguments.solofile, "serve", "--port", "0", "--no-browser", *size]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None, "opened with a pipe"
        url = process.stdout.readline().split()[-1].rstrip("/")
        while not _is_ready(url):
            time.sleep(POLL_S)
        report = measure(url, process.pid, seconds=arguments.minutes * 60, seed=arguments.seed)
    finally:
        process.terminate()
        process.wait()
    sys.stdout.write(json.dumps(asdict(report), indent=2) + "\n")
    return 1 if report.failures else 0


def _is_ready(url: str) -> bool:
    try:
        return bool(_metrics(url)["solofile:cells"])
    except (urllib.error.HTTPError, KeyError):
        return False


if __name__ == "__main__":
    sys.exit(main())
