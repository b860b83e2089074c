"""A running server: started at a free port, asked, looked at, and ended."""

import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client import TIMEOUT_S
from bench.servers import Server, Sizes
from builder.errors import ToolError

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Memory:
    """What a server's processes hold, in MB (10**6 bytes).

    Args:
        private: Pages that no other process maps, mapped files among them.
        anonymous: Of those, what is no page of a file, so that it cannot simply be dropped.
        total: All pages, shared ones divided among those who share them (PSS).
    """

    private: float
    anonymous: float
    total: float


class Process:
    """A server that was started.

    Attributes:
        server: What it was started from.
        port: Where it answers once it is ready.
    """

    def __init__(self, server: Server, port: int, popen: "subprocess.Popen[bytes]") -> None:
        self.server = server
        self.port = port
        self._popen = popen

    def check(self) -> None:
        """Make sure it has not ended by itself.

        Raises:
            ToolError: It has.
        """
        if self._popen.poll() is not None:
            raise ToolError(
                f"{self.server.name} ended with status {self._popen.returncode} while it was "
                "measured."
            )

    def memory(self) -> Memory:
        """Return what it and the processes it started hold (Linux only)."""
        sums = dict.fromkeys(("Private_Clean", "Private_Dirty", "Anonymous", "Pss"), 0)
        for pid in _tree(self._popen.pid):
            for name, kilobytes in _rollup(pid).items():
                sums[name] = sums.get(name, 0) + kilobytes
        return Memory(
            private=(sums["Private_Clean"] + sums["Private_Dirty"]) * 1024 / 1e6,
            anonymous=sums["Anonymous"] * 1024 / 1e6,
            total=sums["Pss"] * 1024 / 1e6,
        )


@contextmanager
def running(server: Server, sizes: Sizes) -> Iterator[Process]:
    """Start a server and end it; it may not be ready yet.

    Raises:
        ToolError: It had ended before it was told to.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as output:
        popen = subprocess.Popen(
            [*server.command(sizes), "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | server.variables,
        )
        try:
            yield Process(server, port, popen)
        except ToolError as error:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines()
            raise ToolError(error.message, hint=f"It said: {lines[-1]}" if lines else "") from error
        finally:
            popen.terminate()
            popen.wait(timeout=TIMEOUT_S)


def _tree(root: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            # The name before the parent may hold blanks and brackets.
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _rollup(pid: int) -> dict[str, int]:
    """Return the kilobytes of each line of a process's `smaps_rollup`."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return {}
    return {name: int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE)}
