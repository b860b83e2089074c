"""What the library for quick starts does, in processes of their own: it replaces a function."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from builder.native.start_library import start_libraries
from builder.targets import find_target, host_target
from tests.gpu_libraries import libraries_with, run_with

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is for Linux")

CLEARING = """
import ctypes, json, mmap
from runtime.engine.llama import ggml_library
from runtime.engine.start_library import start_library

ours = start_library()
base = ggml_library("ggml-base")
for name in ("cpu_buffer_type", "buft_alloc_buffer", "buffer_get_base", "cpu_buffer_from_ptr"):
    getattr(base, f"ggml_backend_{name}").restype = ctypes.c_void_p
kind = ctypes.c_void_p(base.ggml_backend_cpu_buffer_type())


def clear(buffer, size, value):
    address = base.ggml_backend_buffer_get_base(ctypes.c_void_p(buffer))
    ctypes.memset(address, 0xAB, size)
    before = resident()
    ours.ggml_backend_buffer_clear(ctypes.c_void_p(buffer), value)
    given_back = before - resident()
    data = ctypes.string_at(address, size)
    return {"wrong": size - data.count(bytes([value])), "given back": given_back}


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


told = {}
for size, value in [(5_000_001, 0), (5_000_001, 7), (1000, 0)]:
    buffer = base.ggml_backend_buft_alloc_buffer(kind, ctypes.c_size_t(size))
    told[f"{size} {value}"] = clear(buffer, size, value)
memory = mmap.mmap(-1, 5_000_000)
buffer = base.ggml_backend_cpu_buffer_from_ptr(
    ctypes.byref(ctypes.c_char.from_buffer(memory)), ctypes.c_size_t(len(memory))
)
told["not its own"] = clear(buffer, len(memory), 0)
print(json.dumps(told))
"""

READING = """
import hashlib, json, pathlib, sys
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.weights import Weights

path = pathlib.Path(sys.argv[1])
model = Model.load(Llama.load(), Weights(path, 0, path.stat().st_size))
pieces = [model.piece(token) for token in range(model.n_vocab)]
print(json.dumps({
    "pieces": hashlib.sha256(repr(pieces).encode()).hexdigest(),
    "name": model.metadata("general.name"),
    "template": model.chat_template(),
    "tokens": model.tokenize(
        "Überall 東京, \\u00ad and\\ttabs: naïve 🦙", add_special=True, parse_special=True
    ),
}))
"""

ANSWERING = """
import json, pathlib, sys
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.weights import Weights

path = pathlib.Path(sys.argv[1])
model, runner = load_model(
    EngineOptions(Weights(path, 0, path.stat().st_size), n_ctx=8192, n_threads=1)
)
rollup = pathlib.Path("/proc/self/smaps_rollup").read_text()
anonymous = next(line.split()[1] for line in rollup.splitlines() if line.startswith("Anonymous"))
print(json.dumps({"anonymous": int(anonymous) * 1024, "ends": model.end_tokens}))
"""


@pytest.fixture
def with_it(tmp_path: Path) -> Path:
    """A folder with llama.cpp's libraries and this one."""
    folder = libraries_with(tmp_path / "with", [])
    for library in start_libraries(host_target()):
        (folder / library.name).symlink_to(library)
    return folder


def told(libraries: Path, script: str, *arguments: Path) -> Any:
    completed = run_with(libraries, "-c", script, *arguments)
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


def test_memory_is_cleared(with_it: Path) -> None:
    """Whatever a buffer is of, it holds one value afterwards; large zeros take no memory."""
    results = told(with_it, CLEARING)

    assert {result["wrong"] for result in results.values()} == {0}
    assert results["5000001 0"]["given back"] > 4_500_000
    others = [result for name, result in results.items() if name != "5000001 0"]
    assert all(result["given back"] < 1_000_000 for result in others)


def test_a_context_takes_memory_as_it_fills(with_it: Path, tmp_path: Path, gguf: Path) -> None:
    """A context of 8192 tokens is 189 MB less until it holds something; the rest is equal."""
    quick = told(with_it, ANSWERING, gguf)
    usual = told(libraries_with(tmp_path / "without", []), ANSWERING, gguf)

    assert usual["anonymous"] - quick["anonymous"] > 170_000_000
    assert quick["ends"] == usual["ends"] != []


def test_a_model_reads_the_same(with_it: Path, tmp_path: Path, gguf: Path) -> None:
    """All pieces of the vocabulary, its metadata and its tokens are what llama.cpp says itself."""
    quick = told(with_it, READING, gguf)

    assert quick == told(libraries_with(tmp_path / "without", []), READING, gguf)
    assert quick["tokens"]


@pytest.mark.parametrize("name", ["macos-arm64", "windows-x86_64"])
def test_only_linux_has_it(name: str) -> None:
    """Elsewhere a library asks for a function by the file that has it."""
    assert start_libraries(find_target(name)) == []
