"""The tables, against the pinned source they describe."""

import re
from pathlib import Path

import gguf
import pytest

from builder.gguf.tables import ARCHITECTURES, FILE_TYPES, TENSOR_TYPES
from builder.native.llamacpp import source_folder


@pytest.fixture(scope="module")
def llama_cpp() -> Path:
    return source_folder() / "vendor" / "llama.cpp"


def test_architectures(llama_cpp: Path) -> None:
    """Exactly the architectures the pinned llama.cpp lists are known."""
    source = (llama_cpp / "src" / "llama-arch.cpp").read_text(encoding="utf-8")
    table = source.partition("LLM_ARCH_NAMES = {")[2].partition("};")[0]
    names = set(re.findall(r'\{\s*LLM_ARCH_\w+,\s*"([^"]+)"', table))
    assert names - {"clip", "(unknown)"} == ARCHITECTURES


def test_tensor_types(llama_cpp: Path) -> None:
    """Exactly the tensor types the pinned ggml has are known, by their names."""
    header = (llama_cpp / "ggml" / "include" / "ggml.h").read_text(encoding="utf-8")
    listed = re.findall(r"^\s*GGML_TYPE_(\w+)\s*=\s*(\d+),", header, re.MULTILINE)
    assert {int(number): name for name, number in listed if name != "COUNT"} == {
        number: kind.name for number, kind in TENSOR_TYPES.items()
    }


def test_tensor_sizes() -> None:
    """Block sizes are those of the gguf package, for the types it has.

    It has Q8_1, which never lies in files, as it was before its sums became halves.
    """
    for kind, (elements, size) in gguf.constants.GGML_QUANT_SIZES.items():
        if kind.name == "Q8_1":
            continue
        ours = TENSOR_TYPES[int(kind)]
        assert (ours.block_elements, ours.block_bytes) == (elements, size), kind.name


def test_file_types(llama_cpp: Path) -> None:
    """Exactly the file types the pinned llama.cpp has are known, by their names."""
    header = (llama_cpp / "include" / "llama.h").read_text(encoding="utf-8")
    listed = re.findall(r"^\s*LLAMA_FTYPE_(?:ALL|MOSTLY)_(\w+)\s*=\s*(\d+),", header, re.MULTILINE)
    assert {int(number): name for name, number in listed} == FILE_TYPES
