"""The CUDA plugin where it is of no use: without a driver, and with one that finds nothing.

`kit libraries --gpu cuda` makes the plugin, in hours of processor time; without it these tests are
skipped.
"""

import ctypes.util
import subprocess
from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.kit.elf import lowest_glibc
from builder.native.llamacpp import find_gpu_plugin
from builder.native.toolchain import zig, zig_environment
from builder.targets import host_target
from tests.gpu_libraries import libraries_with, run_with

# A driver that tells its version and what it found, and can do nothing.
DRIVER = """
#include <stdlib.h>
int cuInit(unsigned flags) { return atoi(getenv("TOLD_AT_INIT")); }
int cuDriverGetVersion(int * version) { *version = atoi(getenv("TOLD_AS_VERSION")); return 0; }
"""
FUNCTIONS = Path(__file__).parents[4] / "builder" / "native" / "cuda" / "libcuda.c"


@pytest.fixture(scope="module")
def plugin() -> Path:
    """The folder with the plugin alone."""
    try:
        folder = find_gpu_plugin(host_target(), "cuda")
    except ToolError as error:
        pytest.skip(str(error))
    if folder is None:
        pytest.skip("the plugin was not built; `kit libraries --gpu cuda` does that")
    return folder


@pytest.fixture(scope="module")
def cuda(plugin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This machine's libraries with the CUDA plugin."""
    return libraries_with(tmp_path_factory.mktemp("cuda") / "llama", plugin.iterdir())


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of such a driver."""
    folder = tmp_path_factory.mktemp("driver")
    source, library = folder / "driver.c", folder / "libcuda.so.1"
    source.write_text(DRIVER)
    compiler = [str(zig()), "cc", "-target", host_target().zig_triple, "-shared", "-fPIC"]
    subprocess.run(
        [*compiler, "-Wl,-soname,libcuda.so.1", str(source), str(FUNCTIONS), "-o", str(library)],
        env=zig_environment(),
        check=True,
    )
    return folder


def _told(cuda: Path, gguf: Path, **variables: str) -> str:
    told = run_with(cuda, "-m", "runtime", "info", "--devices", gguf, **variables)
    assert told.returncode == 0, told.stderr
    return told.stdout.splitlines()[-1]


def test_it_runs_on_old_systems(plugin: Path) -> None:
    """As the libraries beside it do."""
    lowest = lowest_glibc(plugin)
    assert lowest
    assert (lowest.major, lowest.minor) <= (2, 28)


def test_no_driver(cuda: Path, gguf: Path) -> None:
    """The report says so, and the processor answers."""
    if ctypes.util.find_library("cuda"):
        pytest.skip("this machine has a driver")
    why = "the system has no driver for cuda (libcuda.so.1 is missing)"
    assert _told(cuda, gguf) == f"GPU       none: {why}"
    command = ("-m", "runtime", "run", "-m", gguf, "-n", "2", "-c", "256")
    quiet = run_with(cuda, *command, "Hello")
    assert quiet.returncode == 0
    assert quiet.stdout
    assert "GPU" not in quiet.stderr
    asked = run_with(cuda, *command, "-ngl", "all", "Hello")
    assert asked.returncode == 0
    assert f"No GPU is used: {why}" in asked.stderr


@pytest.mark.parametrize(
    ("version", "at_init", "reason"),
    [
        ("12040", "0", "CUDA driver version is insufficient for CUDA runtime version"),
        ("99000", "100", "no CUDA-capable device is detected"),
    ],
)
def test_a_driver_of_no_use(
    cuda: Path, driver: Path, gguf: Path, version: str, at_init: str, reason: str
) -> None:
    """Why is told in NVIDIA's words; the plugin needs no other library of NVIDIA's to say it."""
    told = _told(
        cuda, gguf, LD_LIBRARY_PATH=str(driver), TOLD_AS_VERSION=version, TOLD_AT_INIT=at_init
    )
    why = f"cuda finds no GPU with a driver (failed to initialize CUDA: {reason})"
    assert told == f"GPU       none: {why}"
