"""Reading the headers of safetensors files, sound and damaged ones."""

from pathlib import Path

import numpy as np
import pytest

from builder.convert.safetensors import StoredTensor, read_tensors
from runtime.errors import DamagedFileError
from tests.builder.convert.tiny_checkpoint import write_safetensors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with two tensors."""
    path = tmp_path / "model.safetensors"
    write_safetensors(path, {"a": np.zeros((2, 3), np.float32), "b": np.zeros(5, np.float16)})
    return path


def test_tensors(path: Path) -> None:
    """Names, types and the number of elements are told."""
    assert read_tensors(path) == [StoredTensor("a", "F32", 6), StoredTensor("b", "F16", 5)]


@pytest.mark.parametrize("kept", [-1, 20, 9])
def test_cut_short(path: Path, kept: int) -> None:
    """A file whose data or header ends too early is told from a sound one."""
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedFileError, match=r"model\.safetensors is cut short"):
        read_tensors(path)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"1234567", b"\xff" * 20, b"<!DOCTYPE html><html>",
        *(len(text).to_bytes(8, "little") + text for text in (b"no json", b"[1]", b'{"a": 1}')),
        b'\x19\0\0\0\0\0\0\0{"a":{"data_offsets":[0]}}',
    ],
)  # fmt: skip
def test_something_else(path: Path, content: bytes) -> None:
    """What is no safetensors file is told so, whatever it is."""
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"is no safetensors file|is cut short"):
        read_tensors(path)
