"""What this machine lets the process use: physical cores and memory."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

_CPU_FOLDER = Path("/sys/devices/system/cpu")
_CGROUP_FOLDER = Path("/sys/fs/cgroup")


def physical_cores() -> int:
    """Return how many physical cores this process may run on, by affinity and by quota."""
    if hasattr(os, "sched_getaffinity"):
        allowed: Iterable[int] = os.sched_getaffinity(0)
    else:
        allowed = range(os.cpu_count() or 1)
    cores = {
        _read(_CPU_FOLDER / f"cpu{cpu}/topology/thread_siblings_list") or cpu for cpu in allowed
    }
    return max(1, min(len(cores), _cpu_quota()))


def memory_available_bytes() -> int:
    """Return the memory that can be taken without swapping, within the cgroup's limit."""
    available = _meminfo("MemAvailable")
    limit = _read(_CGROUP_FOLDER / "memory.max")
    if limit.isdigit():
        used = _read(_CGROUP_FOLDER / "memory.current")
        available = min(available, max(0, int(limit) - int(used or 0)))
    return available


def memory_total_bytes() -> int:
    """Return the machine's memory, or the cgroup's limit where that is lower."""
    total = _meminfo("MemTotal")
    limit = _read(_CGROUP_FOLDER / "memory.max")
    return min(total, int(limit)) if limit.isdigit() else total


def anonymous_bytes() -> int | None:
    """Return how much memory of this process no file holds; None where the system does not tell."""
    for line in _read(Path("/proc/self/status")).splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return None


def _meminfo(field: str) -> int:
    if sys.platform == "win32":
        return _windows_memory()[field]
    for line in _read(Path("/proc/meminfo")).splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    # Outside Linux the physical memory is the best that the standard library knows.
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _windows_memory() -> dict[str, int]:
    """Return what GlobalMemoryStatusEx tells, by the names that Linux has for it."""
    import ctypes

    # MEMORYSTATUSEX: its own size, the load in per cent, then seven amounts of 8 bytes.
    status = (ctypes.c_uint64 * 8)()
    ctypes.cast(status, ctypes.POINTER(ctypes.c_uint32))[0] = ctypes.sizeof(status)
    ctypes.CDLL("kernel32").GlobalMemoryStatusEx(status)
    return {"MemTotal": status[1], "MemAvailable": status[2]}


def _cpu_quota() -> int:
    quota, _, period = _read(_CGROUP_FOLDER / "cpu.max").partition(" ")
    if not quota.isdigit():
        return os.cpu_count() or 1
    return max(1, int(quota) // int(period))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
