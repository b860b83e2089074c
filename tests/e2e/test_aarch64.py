"""The linux-aarch64 kit built here, its solofile answering under qemu: `test -m foreign_kit`."""

import json
import shlex
import urllib.request
from pathlib import Path

import pytest

from builder.demo import SYSTEM_PROMPT, WEIGHTS_SHA256, demo_source
from builder.kit.building import build_kit
from builder.kit.elf import is_elf
from builder.kit.kit import Kit
from builder.kit.root import make_root
from builder.make import Order, make_solofile
from builder.report import Report
from builder.targets import TARGETS, host_target
from runtime.package import HEADER_BYTES, PackageHeader
from runtime.user_folders import user_cache_dir
from tests.solofile import ServedSolofile, run_solofile

TARGET = TARGETS["linux-aarch64"]
AARCH64 = (183).to_bytes(2, "little")  # e_machine of an ELF header, at byte 18
ASKED = ("run", "--temp", "0", "-n", "16", "What is the capital of France?")

pytestmark = [
    pytest.mark.foreign_kit,
    pytest.mark.skipif(host_target() == TARGET, reason="it is this machine's own target"),
]


@pytest.fixture(scope="module")
def kit() -> Kit:
    return build_kit(TARGET)


@pytest.fixture(scope="module")
def report(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report on the demo's model, packed for aarch64."""
    return make_solofile(
        Order(
            source=demo_source(),
            target=TARGET,
            output=tmp_path_factory.mktemp("aarch64"),
            defaults={"system_prompt": SYSTEM_PROMPT},
            weights_sha256=WEIGHTS_SHA256,
        )
    )


@pytest.fixture(scope="module")
def emulated(report: Report) -> Path:
    """A script that starts that solofile under qemu with whatever arguments it is given."""
    path = Path(report.path)
    script = path.with_name("emulated")
    command = make_root(TARGET).command(path.parent, user_cache_dir(), Path.cwd())
    line = shlex.join([*command, str(path)])
    script.write_text(f'#!/bin/sh\nexec {line} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


def test_everything_in_the_kit_is_for_that_processor(kit: Kit, emulated: Path) -> None:
    """No program or library of this machine's got into it."""
    assert kit.info.target == TARGET.name
    assert run_solofile(emulated, "--version").returncode == 0  # It is unpacked now.
    header = PackageHeader.unpack(kit.runtime_pkg.read_bytes()[:HEADER_BYTES])
    folder = user_cache_dir() / "runtime" / header.folder_name
    binaries = [path for path in folder.rglob("*") if path.is_file() and is_elf(path)]
    assert len(binaries) > 20
    assert {path.read_bytes()[18:20] for path in binaries} == {AARCH64}


def test_the_smoke_test_ran(report: Report) -> None:
    """The builder asked it under qemu, too."""
    assert report.answer


def test_says_what_this_machines_says(emulated: Path, solofile: Path) -> None:
    """Greedy text is the same on both processors."""
    here, there = run_solofile(solofile, *ASKED), run_solofile(emulated, *ASKED)
    assert (there.returncode, there.stdout) == (0, here.stdout)
    assert "Paris" in there.stdout


def test_serves(emulated: Path) -> None:
    """It answers over HTTP, and ends when it is asked to."""
    with ServedSolofile(emulated, "serve", "--port", "0") as served:
        assert served.status("/health") == 200
        body = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 4}
        request = urllib.request.Request(
            f"{served.url}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
        assert answer["usage"]["completion_tokens"] == 4
        assert served.stop() == 0


def test_tells_its_processor(emulated: Path) -> None:
    """The variant for what qemu emulates is found."""
    told = run_solofile(emulated, "info", "--cpu")
    assert told.returncode == 0, told.stderr
    assert "armv8" in told.stdout or "armv9" in told.stdout
