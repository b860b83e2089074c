"""Putting the parts of a split GGUF back into one file, kept in the cache by content."""

import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from builder import console
from builder.cache.items import made_once
from builder.digests import digests_of
from builder.files import CHUNK_BYTES, atomic_file, require_space
from builder.gguf.header import MAGIC, Header, Tensor, read_header
from runtime.user_folders import user_cache_dir

_SPLIT_KEYS = {"split.no", "split.count", "split.tensors.count"}


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged model.

    Args:
        path: The one file.
        part_sha256s: The digest of each part, in order, in hex.
    """

    path: Path
    part_sha256s: list[str]


def merge(parts: list[Path]) -> Merged:
    """Return one file with everything the parts hold, made on first use.

    Args:
        parts: All parts of one split GGUF, in order.

    Raises:
        DamagedFileError: A part is not a GGUF or cut short.
        DiskError: The cache is full or not writable.
    """
    size = sum(part.stat().st_size for part in parts)
    digests = digests_of(parts)
    key = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    path = user_cache_dir() / "merged" / f"{key}.gguf"

    def make(_lock: int) -> None:
        require_space(path.parent, size, purpose="the merged model")
        with atomic_file(path) as file, console.progress("Merging the parts", size) as advance:
            _write_merged(file, parts, advance)

    return Merged(made_once(path, make), digests)


def _write_merged(file: IO[bytes], parts: list[Path], advance: Callable[[int], None]) -> None:
    headers = [read_header(part) for part in parts]
    file.write(_merged_header(parts[0], headers))
    alignment = headers[0].alignment
    for part, header in zip(parts, headers, strict=True):
        with part.open("rb") as source:
            for tensor in header.tensors:
                file.write(bytes(-file.tell() % alignment))
                source.seek(header.data_offset + tensor.offset)
                for chunk in _read(source, tensor.size_bytes):
                    file.write(chunk)
                    advance(len(chunk))


def _merged_header(first: Path, headers: list[Header]) -> bytes:
    """Return the first part's metadata without what tells of the split, and all tensor infos."""
    kept = [pair for key, pair in headers[0].pairs.items() if key not in _SPLIT_KEYS]
    tensors = [tensor for header in headers for tensor in header.tensors]
    alignment = headers[0].alignment
    pieces = [MAGIC, struct.pack("<IQQ", headers[0].version, len(tensors), len(kept))]
    with first.open("rb") as file:
        for pair in kept:
            file.seek(pair.start)
            pieces.append(file.read(pair.end - pair.start))
    offset = 0
    for tensor in tensors:
        pieces.append(tensor_info(tensor, offset))
        offset += tensor.size_bytes + -tensor.size_bytes % alignment
    header = b"".join(pieces)
    return header + bytes(-len(header) % alignment)


def tensor_info(tensor: Tensor, offset: int) -> bytes:
    """Return how a header tells of a tensor that begins at `offset` of the data."""
    name = tensor.name.encode()
    dimensions = len(tensor.shape)
    return (
        struct.pack("<Q", len(name))
        + name
        + struct.pack(f"<I{dimensions}QIQ", dimensions, *tensor.shape, tensor.type_id, offset)
    )


def _read(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size and (chunk := file.read(min(CHUNK_BYTES, size))):
        size -= len(chunk)
        yield chunk
