"""A real solofile under random load: the short form of `bench/endurance.py`."""

import sys
from pathlib import Path

import pytest

from bench.endurance import NUM_CLIENTS, NUM_PARALLEL, measure
from tests.solofile import ServedSolofile

SECONDS = 20
# In so short a time the allocator is still growing to its working size.
MAX_GROWTH_BYTES = 40_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_random_load_leaves_nothing_behind(solofile: Path) -> None:
    """After joins, disconnects and bad requests every cell, file and place in the queue is free."""
    size = ("-c", "1024", "-np", str(NUM_PARALLEL))
    with ServedSolofile(solofile, "--port", "0", *size) as server:
        report = measure(
            server.url, server.process.pid, seconds=SECONDS, max_growth_bytes=MAX_GROWTH_BYTES
        )
    assert report.failures == []
    assert sum(report.num_answered.values()) >= NUM_CLIENTS
