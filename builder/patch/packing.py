"""Bytes of a patch, smaller: zstd, with the part they came of as its dictionary.

Where much of a part stayed as it was, only the rest takes room. A `runtime.pkg` is compressed
itself; of one in which little changed, about a third is left. Its tar would take a thousandth, but
the very same bytes would come out of that only with the very same version of zstd.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import zstandard

from builder.file_range import FileRange
from builder.files import CHUNK_BYTES
from runtime.errors import DamagedFileError
from runtime.zip_records import COPY_AGAIN

# What is larger is compressed without a dictionary, and quickly.
MAX_DICTIONARY_BYTES = 256 << 20
# A dictionary of that size and as much behind it lie in this window.
_MAX_WINDOW_LOG = 29
_LEVEL, _QUICK_LEVEL = 9, 3
_MAX_HASH_LOG = 26
# Weights are mostly noise: a few samples tell whether compressing them pays.
_SAMPLE_BYTES, _NUM_SAMPLES = 4 << 20, 4
_PAYS = 0.95


def pays(data: FileRange) -> bool:
    """Say whether bytes become fewer by compressing them, as far as samples of them tell."""
    compressor = zstandard.ZstdCompressor(level=1)
    step = max(_SAMPLE_BYTES, data.size // _NUM_SAMPLES)
    num_read = num_packed = 0
    for offset in range(0, data.size, step):
        part = FileRange(data.path, data.offset + offset, min(_SAMPLE_BYTES, data.size - offset))
        sample = b"".join(chunks_of(part))
        num_read += len(sample)
        num_packed += len(compressor.compress(sample))
    return num_packed < _PAYS * num_read


def pack(chunks: Iterable[bytes], size: int, path: Path, dictionary: FileRange | None) -> None:
    """Compress bytes into a file.

    Args:
        chunks: The bytes.
        size: How many there are.
        path: The file to write.
        dictionary: What much of them may have been taken of; at most `MAX_DICTIONARY_BYTES`.
    """
    with (
        path.open("wb") as file,
        _compressor(size, dictionary).stream_writer(file, size=size) as stream,
    ):
        for chunk in chunks:
            stream.write(chunk)


def unpack(data: FileRange, size: int, path: Path, dictionary: FileRange | None) -> None:
    """Write what was compressed into a file.

    Args:
        data: What `pack` wrote.
        size: How many bytes must come out.
        path: The file to write.
        dictionary: What `pack` was given.

    Raises:
        DamagedFileError: It is not what comes out.
    """
    decompressor = zstandard.ZstdDecompressor(
        dict_data=_dictionary(dictionary), max_window_size=1 << _MAX_WINDOW_LOG
    )
    left = size
    try:
        with data.path.open("rb") as packed, path.open("wb") as file:
            packed.seek(data.offset)
            window = _Window(packed, data.size)
            for chunk in decompressor.read_to_iter(window):  # type: ignore[arg-type] # it reads
                left -= len(chunk)
                if left < 0:
                    break
                file.write(chunk)
    except zstandard.ZstdError as error:
        raise _damaged(data) from error
    if left:
        raise _damaged(data)


class _Window:
    """The next bytes of a file, and not what follows them."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


def chunks_of(data: FileRange) -> Iterator[bytes]:
    """Yield bytes of a file, piece by piece."""
    left = data.size
    with data.path.open("rb") as file:
        file.seek(data.offset)
        while left and (chunk := file.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk


def _compressor(size: int, dictionary: FileRange | None) -> zstandard.ZstdCompressor:
    if dictionary is None:
        level = _LEVEL if size <= MAX_DICTIONARY_BYTES else _QUICK_LEVEL
        return zstandard.ZstdCompressor(level=level)
    window_log = max(10, (dictionary.size + size).bit_length())
    # By itself it indexes only a part of a dictionary this large.
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL,
        window_log=min(window_log, _MAX_WINDOW_LOG),
        hash_log=min(window_log, _MAX_HASH_LOG),
        chain_log=min(window_log, _MAX_HASH_LOG),
    )
    return zstandard.ZstdCompressor(
        compression_params=parameters, dict_data=_dictionary(dictionary)
    )


def _dictionary(data: FileRange | None) -> zstandard.ZstdCompressionDict | None:
    if data is None:
        return None
    content = b"".join(chunks_of(data))
    return zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _damaged(data: FileRange) -> DamagedFileError:
    return DamagedFileError(f"{data} does not give what it should.", hint=COPY_AGAIN)
