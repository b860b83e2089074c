"""A solofile with a GPU plugin on machines that have no use for it."""

import subprocess
from pathlib import Path

import pytest

from builder.native.llamacpp import native_libraries, source_folder
from builder.native.toolchain import zig, zig_environment
from builder.targets import host_target
from tests.gpu_libraries import libraries_with, run_with


def _compile(output: Path, *arguments: str) -> None:
    compiler = [str(zig()), "cc", "-target", host_target().zig_triple, "-shared", "-x", "c"]
    subprocess.run(
        [*compiler, "/dev/null", *arguments, "-o", str(output)], env=zig_environment(), check=True
    )


# A plugin whose driver is there and of no use.
USELESS = """
#include "ggml-backend-impl.h"
#include "ggml-impl.h"
static const char * name(ggml_backend_reg_t reg) { return "Toy"; }
static size_t count(ggml_backend_reg_t reg) { return 0; }
static struct ggml_backend_reg reg = {GGML_BACKEND_API_VERSION, {name, count, NULL, NULL}, NULL};
ggml_backend_reg_t ggml_backend_init(void) {
    GGML_LOG_ERROR("toy_init: failed to initialize Toy: the driver is too old\\n");
    return &reg;
}
"""


@pytest.fixture(scope="module")
def without_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Libraries with a plugin that wants a system library which nobody has."""
    folder = tmp_path_factory.mktemp("without-driver")
    _compile(folder / "libvulkan.so.9", "-Wl,-soname,libvulkan.so.9")
    plugin = folder / "libggml-vulkan.so"
    _compile(plugin, "-Wl,--no-as-needed", f"-L{folder}", "-l:libvulkan.so.9")
    (folder / "libvulkan.so.9").unlink()
    return libraries_with(folder / "llama", [plugin])


def test_no_driver_is_told(without_driver: Path, gguf: Path) -> None:
    """The report says why no GPU is used, and what computes instead."""
    told = run_with(without_driver, "-m", "runtime", "info", "--devices", gguf)
    assert told.returncode == 0
    cpu, gpu = told.stdout.splitlines()
    assert cpu.startswith("CPU ")
    assert cpu.endswith(": used")
    why = "the system has no driver for vulkan (libvulkan.so.9 is missing)"
    assert gpu == f"GPU       none: {why}"


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [((), ""), (("-ngl", "all"), "No GPU is used: the system has no driver for vulkan")],
)
def test_it_answers_all_the_same(
    without_driver: Path, gguf: Path, flags: tuple[str, ...], complaint: str
) -> None:
    """On the processor; what was asked for and cannot be is said."""
    told = run_with(
        without_driver, "-m", "runtime", "run", "-m", gguf, *flags, "-n", "2", "-c", "256", "Hello"
    )
    assert told.returncode == 0
    assert told.stdout
    assert complaint in told.stderr
    assert ("GPU" in told.stderr) is bool(complaint)


def test_a_device_that_is_not_there(without_driver: Path, gguf: Path) -> None:
    """One sentence says so."""
    told = run_with(
        without_driver, "-m", "runtime", "run", "-m", gguf, "--device", "Vulkan0", "Hello"
    )
    assert told.returncode != 0
    assert told.stderr == (
        "Error: There is no device Vulkan0. There is: none. See `info --devices`.\n"
    )


def test_what_only_the_log_tells_is_told(tmp_path: Path, gguf: Path) -> None:
    """A driver that is too old, say."""
    source = tmp_path / "toy.c"
    source.write_text(USELESS)
    ggml = source_folder() / "vendor" / "llama.cpp" / "ggml"
    includes = [f"-I{ggml / 'src'}", f"-I{ggml / 'include'}"]
    plugin = tmp_path / "libggml-toy.so"
    compiler = [str(zig()), "cc", "-target", host_target().zig_triple, "-shared", "-fPIC"]
    links = [f"-L{native_libraries(host_target())}", "-lggml-base", "-o", str(plugin)]
    subprocess.run([*compiler, *includes, str(source), *links], env=zig_environment(), check=True)
    libraries = libraries_with(tmp_path / "llama", [plugin])
    told = run_with(libraries, "-m", "runtime", "info", "--devices", gguf)
    assert told.stdout.splitlines()[-1] == (
        "GPU       none: toy finds no GPU with a driver "
        "(failed to initialize Toy: the driver is too old)"
    )
    assert told.stderr == ""
