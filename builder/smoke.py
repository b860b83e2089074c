"""Starting a finished solofile once, without a network, to see that it answers."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from builder import console
from builder.errors import ToolError
from builder.kit.root import made_root
from builder.quality.answer import PROMPT, read_answer, read_embedding
from builder.targets import Target, host_target
from runtime.user_folders import user_cache_dir

RUN = ("run", "--json", "--temp", "0", "-n", "24")
EMBED = ("embed",)
BASE_TIMEOUT_S = 120.0
# How fast the slowest disk worth waiting for reads weights.
READ_BYTES_PER_S = 20_000_000
# How much longer an emulated processor may take.
EMULATION_FACTOR = 20

# Runs the command behind it with no network interface up, where the kernel lets us.
_WITHOUT_NETWORK = """
import ctypes, os, sys
NEW_USER, NEW_NET = 0x10000000, 0x40000000
user, unshare = os.getuid(), ctypes.CDLL(None).unshare
if unshare(NEW_NET) and not unshare(NEW_USER | NEW_NET):
    for name, text in ("setgroups", "deny"), ("uid_map", f"{user} {user} 1"):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
try:
    os.execv(sys.argv[1], sys.argv[1:])
except OSError as error:
    sys.exit(f"the system does not start it: {error.strerror}")
"""


class SmokeTestError(ToolError):
    """The finished solofile does not start or does not answer."""


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """What a finished solofile did.

    Args:
        answer: What it said, or its embedding.
        start_s: From its start to the first byte of its answer, in seconds.
    """

    answer: str
    start_s: float


def tested(path: Path, target: Target, command: Sequence[str]) -> SmokeTest | None:
    """Ask a solofile one question, on an emulated machine where it is for another one.

    Args:
        path: The solofile.
        target: What it runs on.
        command: How it is asked: `RUN`, or `EMBED` for a model that generates no text.

    Returns:
        What it did; None where it cannot start here, which is said.

    Raises:
        SmokeTestError: It did not start, failed or took too long, or what it said is no answer.
    """
    start: tuple[str, ...] = ()
    if target != host_target():
        root = made_root(target)
        if root is None:
            console.info(f"Not tested: a solofile for {target.name} cannot start here.")
            return None
        start = root.command(path.absolute().parent, user_cache_dir())
    with console.status("Testing that it answers"):
        return smoke_test(path, command=command, start=start)


def smoke_test(
    path: Path,
    *,
    command: Sequence[str] = RUN,
    start: Sequence[str] = (),
    timeout_s: float | None = None,
) -> SmokeTest:
    """Ask the solofile at `path` one question.

    Args:
        path: A solofile.
        command: How it is asked: `RUN`, or `EMBED` for a model that generates no text.
        start: What starts it, on an emulated machine; nothing on its own.
        timeout_s: How long it may take; by default, by its size.

    Raises:
        SmokeTestError: It did not start, failed or took too long, or what it said is no answer.
    """
    if timeout_s is None:
        timeout_s = BASE_TIMEOUT_S + path.stat().st_size / READ_BYTES_PER_S
        timeout_s *= EMULATION_FACTOR if start else 1
    path = path.absolute()
    line = [*start, str(path), *command, PROMPT]
    if sys.platform == "linux":
        line = [sys.executable, "-I", "-S", "-c", _WITHOUT_NETWORK, *line]
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            line,
            cwd=path.parent,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise SmokeTestError(f"The solofile could not be started: {error.strerror}.") from error
    with process:
        output = _Output(process, started)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise SmokeTestError(
                f"The solofile did not answer within {timeout_s:.0f} s.",
                hint="A slow machine may need --no-smoke-test.",
            ) from error
        finally:
            process.kill()
            output.join()
    return _judge(process.returncode, output, command)


class _Output:
    """Collects what a process prints, noting when the first of it came."""

    def __init__(self, process: subprocess.Popen[bytes], started: float) -> None:
        assert process.stdout, "opened with a pipe"
        assert process.stderr, "opened with a pipe"
        self.answer = b""
        self.complaint = b""
        self.first_byte_s = 0.0
        self._started = started
        self._threads = [
            threading.Thread(target=self._read_answer, args=[process.stdout], daemon=True),
            threading.Thread(target=self._read_complaint, args=[process.stderr], daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=5)

    def _read_answer(self, stream: IO[bytes]) -> None:
        self.answer = stream.read(1)
        self.first_byte_s = time.monotonic() - self._started
        self.answer += stream.read()

    def _read_complaint(self, stream: IO[bytes]) -> None:
        self.complaint = stream.read()


def _judge(code: int, output: _Output, command: Sequence[str]) -> SmokeTest:
    answer = output.answer.decode(errors="replace").strip()
    complaint = output.complaint.decode(errors="replace").strip()
    if code:
        last_line = complaint.splitlines()[-1] if complaint else "it said nothing"
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        raise SmokeTestError(
            f"The finished solofile does not work: it {ended}: {last_line}",
            hint="Nothing was left behind; --no-smoke-test skips this test.",
        )
    try:
        told = read_answer(answer) if command == RUN else read_embedding(answer)
    except ValueError as error:
        raise SmokeTestError(
            f"The finished solofile starts, but {error}.",
            hint="--no-smoke-test skips this test.",
        ) from error
    return SmokeTest(told, output.first_byte_s)


def _environment() -> dict[str, str]:
    """Return this process's environment without settings meant for other solofiles."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SOLOFILE_") or name == "SOLOFILE_CACHE"
    }
    # Where all of it is built in, this machine need not have it.
    return kept | {"SOLOFILE_SANDBOX": "auto"}
