"""Whether a solofile runs: its runtime is another program, and has the weights inside mapped."""

import os
from pathlib import Path

from builder.change.writing import running

_PROCESSES = Path("/proc")


def require_not_running(path: Path) -> None:
    """Check that no process has a file mapped, as far as this user may know (Linux).

    Elsewhere the system refuses to write into a program that runs, or nothing tells.

    Raises:
        UsageError: One has.
    """
    facts, name = path.stat(), os.fsencode(path.resolve())
    device = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}".encode()
    for maps in _PROCESSES.glob("[0-9]*/maps"):
        try:
            lines = maps.read_bytes().splitlines()
        except OSError:
            continue
        for line in lines:
            # proc_pid_maps(5): address, permissions, offset, device, inode, path.
            fields = line.split(maxsplit=5)
            # Where file systems lie over one another, the numbers are those of another one.
            if fields[3:5] == [device, b"%d" % facts.st_ino] or fields[5:] == [name]:
                raise running(path)
