"""The GGUF header reader, beside the gguf package's own."""

import io
import struct
from contextlib import suppress
from pathlib import Path

import gguf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.gguf.header import parse_header, read_header
from runtime.errors import AppError, DamagedFileError, UnsupportedError
from tests.builder.tiny_gguf import write_gguf


@pytest.mark.parametrize("alignment", [0, 64])
@pytest.mark.parametrize("quantized", [False, True])
def test_agrees_with_the_gguf_package(tmp_path: Path, alignment: int, quantized: bool) -> None:
    """Metadata, tensors, sizes and offsets are those the gguf package reads."""
    path = write_gguf(tmp_path / "tiny.gguf", alignment=alignment, quantized=quantized)
    ours, theirs = read_header(path), gguf.GGUFReader(path)
    assert ours.alignment == theirs.alignment
    assert ours.data_offset == theirs.data_offset
    assert [
        (tensor.name, tensor.num_elements, tensor.size_bytes, ours.data_offset + tensor.offset)
        for tensor in ours.tensors
    ] == [
        (tensor.name, tensor.n_elements, tensor.n_bytes, tensor.data_offset)
        for tensor in theirs.tensors
    ]
    for key, pair in ours.pairs.items():
        field = theirs.get_field(key)
        assert field is not None
        if pair.value is not None:
            assert pair.value == field.contents()
        assert pair.start == field.offset


def test_every_cut_is_told(tmp_path: Path) -> None:
    """However short a GGUF is cut, the sentence says so, and no other error comes out."""
    data = write_gguf(tmp_path / "tiny.gguf").read_bytes()
    needed = read_header(tmp_path / "tiny.gguf").needed_bytes
    cut = tmp_path / "cut.gguf"
    for length in [*range(4, 400), *range(400, needed, 97), needed - 1]:
        cut.write_bytes(data[:length])
        with pytest.raises(DamagedFileError, match=r"cut\.gguf is cut short"):
            read_header(cut)


@pytest.mark.parametrize("data", [b"", b"GGU", b"PK\x03\x04" + bytes(100), b"ggml" + bytes(100)])
def test_something_else_is_told(tmp_path: Path, data: bytes) -> None:
    """A file that does not begin as a GGUF does is not one."""
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    with pytest.raises(DamagedFileError, match="is not a GGUF file"):
        read_header(path)


def test_big_endian_is_told(tmp_path: Path) -> None:
    """A GGUF of the other byte order is refused as such."""
    path = write_gguf(tmp_path / "big.gguf", big_endian=True)
    with pytest.raises(UnsupportedError, match="big-endian"):
        read_header(path)


@pytest.mark.parametrize("version", [1, 4, 99])
def test_other_versions_are_told(tmp_path: Path, version: int) -> None:
    """A GGUF of a version nobody here reads is refused with the version."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", version, 0, 0))
    with pytest.raises(UnsupportedError, match=f"of version {version};"):
        read_header(path)


def test_an_unknown_tensor_type_is_told(tmp_path: Path) -> None:
    """A tensor stored in a type this llama.cpp does not know is named."""
    path = write_gguf(tmp_path / "tiny.gguf", tensors={"only": (32,)})
    data = bytearray(path.read_bytes())
    info = data.index(struct.pack("<Q", 4) + b"only") + 12
    struct.pack_into("<I", data, info + 4 + 8, 250)
    path.write_bytes(data)
    with pytest.raises(UnsupportedError, match="stores the tensor only as type 250"):
        read_header(path)


@given(data=st.binary(max_size=300))
def test_no_bytes_bring_another_error(data: bytes) -> None:
    """Whatever follows the magic, the answer is a header or an error made for users."""
    blob = b"GGUF\x03\0\0\0" + data
    with suppress(AppError):
        parse_header(io.BytesIO(blob), len(blob), "blob")
