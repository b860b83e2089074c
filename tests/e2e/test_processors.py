"""One solofile on processors of several generations, which qemu stands in for."""

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.solofile import ServedSolofile, run_solofile

IS_X86 = platform.machine() == "x86_64"


@pytest.fixture(scope="session")
def emulator() -> str:
    """The program that runs this machine's programs on another of its processors."""
    found = shutil.which(f"qemu-{platform.machine()}-static")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("qemu-user-static is not installed")
        pytest.skip("it needs qemu-user-static")
    return found


class Emulation:
    """A solofile's unpacked runtime, run as its launcher runs it, on an emulated processor.

    The launcher itself would leave the emulator, which passes `execve` on to the system.
    """

    def __init__(self, emulator: str, running: ServedSolofile) -> None:
        process = Path(f"/proc/{running.process.pid}")
        self.command = [emulator, "-cpu"]
        self.program = str((process / "exe").readlink())
        variables = (process / "environ").read_text(encoding="utf-8").rstrip("\0").split("\0")
        self.environment = dict(variable.split("=", 1) for variable in variables)

    def run(self, processor: str, *arguments: str) -> list[Any]:
        """Run a command of the solofile and return the JSON values that it prints."""
        done = subprocess.run(
            [*self.command, processor, self.program, *arguments, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        values, text = [], done.stdout.strip()
        while text:
            value, end = json.JSONDecoder().raw_decode(text)
            values.append(value)
            text = text[end:].lstrip()
        return values


@pytest.fixture(scope="session")
def emulation(emulator: str, served: ServedSolofile) -> Emulation:
    if not IS_X86:
        pytest.skip("the processors that are emulated here are x86_64")
    return Emulation(emulator, served)


@pytest.mark.parametrize(
    ("processor", "used", "lacked"),
    [
        ("Nehalem", "sse42", ["AVX", "F16C"]),
        ("SandyBridge", "sandybridge", ["F16C"]),
        ("Haswell", "haswell", []),
    ],
)
def test_the_best_variant_is_used(
    emulation: Emulation, processor: str, used: str, lacked: list[str]
) -> None:
    """Each processor gets the code that was made for it, and is told what it lacks for another."""
    (found,) = emulation.run(processor, "info", "--cpu")
    variants = {variant["name"]: variant for variant in found}

    assert [name for name, variant in variants.items() if variant["is_used"]] == [used]
    assert variants["x64"]["score"] > 0
    assert variants["zen4"]["score"] == 0
    assert "AVX512" in variants["zen4"]["missing"]
    assert variants["ivybridge"]["missing"] == lacked


def test_answers_without_avx(emulation: Emulation) -> None:
    """A processor of 2008, with SSE4.2 and no more, answers."""
    tokens = emulation.run(
        "Nehalem", "run", "The capital of France is", "--predict", "2", "--temp", "0",
        "--chat-template", "{{ messages[0].content }}",
    )  # fmt: skip

    assert len(tokens) == 2
    assert "".join(token["text"] for token in tokens).strip()


def test_avx512(solofile: Path) -> None:
    """A processor with AVX-512 computes with it."""
    if " avx512f " not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        pytest.skip("this processor has no AVX-512")
    done = run_solofile(solofile, "info", "--cpu", "--json")
    assert "AVX512" in next(
        variant["features"] for variant in json.loads(done.stdout) if variant["is_used"]
    )


def test_the_variant_that_is_told_is_loaded(solofile: Path, served: ServedSolofile) -> None:
    """A server has exactly that library in memory."""
    first, second = run_solofile(solofile, "info", "--cpu").stdout.splitlines()[:2]
    maps = Path(f"/proc/{served.process.pid}/maps").read_text(encoding="utf-8")
    loaded = {Path(line.split()[-1]).name for line in maps.splitlines() if "ggml-cpu-" in line}

    assert loaded == {f"libggml-cpu-{first.split()[1]}.so"}
    assert second.startswith("computes with ")
