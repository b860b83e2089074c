"""What a real solofile is as a file, and how its weights lie in memory."""

import subprocess
import sys
import urllib.request
from pathlib import Path

from builder.demo import make_demo
from builder.files import sha256_of
from builder.report import Report
from runtime.container import LAUNCHER_ROOM, RUNTIME_NAME, Container
from tests.solofile import ServedSolofile

MAX_OVERHEAD_BYTES = 30_000_000


def test_the_overhead_is_small(made: Report) -> None:
    """Everything but the weights takes at most 30 MB."""
    assert 0 < made.overhead <= MAX_OVERHEAD_BYTES


def test_zip_tools_read_it(solofile: Path) -> None:
    """Unzip, zipinfo and Python find a whole archive in it."""
    for command in (
        ["unzip", "-tqq", str(solofile)],
        ["zipinfo", "-t", str(solofile)],
        [sys.executable, "-m", "zipfile", "-t", str(solofile)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_what_is_large_comes_first(solofile: Path) -> None:
    """The GGUF begins where every launcher ends before, and the runtime behind it."""
    with Container.open(solofile) as container:
        entries = list(container.entries.values())
        weights = [entry for entry in entries if entry.name.endswith(".gguf")]
        assert len(weights) == 1
        assert weights[0].offset == LAUNCHER_ROOM
        assert [entry.name for entry in entries[:2]] == [weights[0].name, RUNTIME_NAME]
        assert solofile.stat().st_size - entries[-1].end < 4096


def test_building_twice_gives_the_same_bytes(solofile: Path, tmp_path: Path) -> None:
    """The same inputs make the same file."""
    again = Path(make_demo(tmp_path).path)
    assert sha256_of(again) == sha256_of(solofile)


def test_the_weights_are_mapped_and_shared(solofile: Path) -> None:
    """The solofile itself is mapped; two copies share its pages and write to none."""
    with (
        ServedSolofile(solofile, "--port", "0") as first,
        ServedSolofile(solofile, "--port", "0") as second,
    ):
        for running in (first, second):
            # A prompt uses all of the weights.
            asked = b'{"messages": [{"role": "user", "content": "Hello."}], "max_tokens": 2}'
            request = urllib.request.Request(
                f"{running.url}/v1/chat/completions",
                asked,
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=60) as response:
                assert response.status == 200
        for running in (first, second):
            mapped = _mapping(running.process.pid, solofile)
            assert mapped["Size"] * 1024 > 90_000_000
            assert mapped["Shared_Clean"] > 0
            assert mapped["Private_Dirty"] == 0


def _mapping(pid: int, path: Path) -> dict[str, int]:
    """Return the sums over all of a process's mappings of a file, in kB."""
    sums: dict[str, int] = {}
    is_ours = False
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if value.endswith(" kB"):
            if is_ours:
                sums[key] = sums.get(key, 0) + int(value.removesuffix(" kB"))
        elif "-" in key.split()[0]:
            is_ours = line.endswith(str(path))
    return sums
