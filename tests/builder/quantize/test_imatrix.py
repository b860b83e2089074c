"""Reading importance matrices in both formats."""

import struct
from pathlib import Path

import gguf
import numpy as np
import pytest

from builder.quantize.imatrix import read_imatrix
from runtime.errors import DamagedFileError, UsageError
from tests.builder.tiny_gguf import write_gguf


def old_format() -> bytes:
    """One weight of three columns after two calls, then the number of chunks and the text."""
    entry = struct.pack("<i", 3) + b"ffn" + struct.pack("<ii3f", 2, 3, 2.0, 4.0, 6.0)
    return struct.pack("<i", 1) + entry + struct.pack("<ii", 7, 4) + b"text"


def test_a_gguf(tmp_path: Path) -> None:
    """Sums become means, expert by expert; one that was never used counts evenly."""
    path = tmp_path / "imatrix.gguf"
    writer = gguf.GGUFWriter(path, "")
    writer.add_uint32("imatrix.chunk_count", 5)
    writer.add_tensor("up.in_sum2", np.array([[2, 4], [0, 0], [9, 3]], np.float32))
    writer.add_tensor("up.counts", np.array([[2], [0], [3]], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    imatrix = read_imatrix(path)
    assert {name: list(means) for name, means in imatrix.means.items()} == {
        "up": [1, 2, 1, 1, 3, 1]
    }
    assert imatrix.num_chunks == 5


def test_the_old_format(tmp_path: Path) -> None:
    """Sums are divided by the calls; what follows them may be missing."""
    path = tmp_path / "imatrix.dat"
    path.write_bytes(old_format())
    imatrix = read_imatrix(path)
    assert {name: list(means) for name, means in imatrix.means.items()} == {"ffn": [1, 2, 3]}
    assert imatrix.num_chunks == 7
    path.write_bytes(old_format()[:-12])
    assert read_imatrix(path).num_chunks == 0


@pytest.mark.parametrize("size", [0, 3, 9, 17, 25])
def test_cut_short(tmp_path: Path, size: int) -> None:
    """A file that ends early is told."""
    path = tmp_path / "imatrix.dat"
    path.write_bytes(old_format()[:size])
    with pytest.raises(DamagedFileError, match="is no importance matrix, or cut short"):
        read_imatrix(path)


def test_something_else(tmp_path: Path) -> None:
    """A model is no importance matrix, and neither is a text or nothing."""
    with pytest.raises(DamagedFileError, match="is no importance matrix"):
        read_imatrix(write_gguf(tmp_path / "model.gguf"))
    (tmp_path / "text").write_text("some words that are no numbers", encoding="utf-8")
    with pytest.raises(DamagedFileError, match="is no importance matrix"):
        read_imatrix(tmp_path / "text")
    with pytest.raises(UsageError, match="There is no importance matrix"):
        read_imatrix(tmp_path / "none")
