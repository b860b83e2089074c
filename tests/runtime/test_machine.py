"""Tests of reading what this machine allows."""

import os
import subprocess
import sys

import pytest

from runtime.machine import memory_available_bytes, memory_total_bytes, physical_cores


def test_memory_is_what_the_system_says() -> None:
    """Less is available than there is, and both are in bytes."""
    assert 10**8 < memory_available_bytes() < memory_total_bytes()
    assert memory_total_bytes() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_cores_follow_the_affinity() -> None:
    """A process tied to one processor has one core."""
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
        "from runtime.machine import physical_cores; print(physical_cores())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
    assert 1 <= physical_cores() <= (os.cpu_count() or 1)
