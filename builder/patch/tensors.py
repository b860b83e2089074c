"""Which bytes of a changed GGUF the old one has, too: tensors that are the same, wherever they lie.

A new template or another tokenizer's setting makes the header longer or shorter, and moves all that
follows it; requantizing leaves norms and the like as they were.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from builder.file_range import FileRange
from builder.files import CHUNK_BYTES
from builder.gguf.header import Header, Tensor, read_header
from runtime.errors import AppError


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the new file's bytes.

    Args:
        offset: Where it begins in it, in bytes.
        size: How many there are.
        old_offset: Where the old file has them; None where it has not.
    """

    offset: int
    size: int
    old_offset: int | None = None


def runs_of(
    old: FileRange, new: FileRange, *, advance: Callable[[int], None] = lambda _: None
) -> list[Run]:
    """Return the new file in runs, in order and without gaps.

    Args:
        old: The old GGUF.
        new: The new one; a file that is none is one run.
        advance: Told the bytes of each chunk that was compared.
    """
    runs: list[Run] = []
    done = 0
    for run in _shared(old, new, advance):
        if run.offset > done:
            runs.append(Run(done, run.offset - done))
        runs.append(run)
        done = run.offset + run.size
    return [*runs, Run(done, new.size - done)] if done < new.size else runs


def _shared(old: FileRange, new: FileRange, advance: Callable[[int], None]) -> Iterator[Run]:
    try:
        before, after = read_header(old), read_header(new)
    except AppError:
        return
    known = {_what(tensor): tensor for tensor in before.tensors}
    done = 0
    with old.path.open("rb") as one, new.path.open("rb") as other:
        for tensor in sorted(after.tensors, key=lambda tensor: tensor.offset):
            found, offset = known.get(_what(tensor)), _offset(after, tensor)
            # Tensors that overlap are nothing that a GGUF should have.
            if found is None or offset < done or not tensor.size_bytes:
                continue
            place = _offset(before, found)
            places = old.offset + place, new.offset + offset
            if _are_equal(one, other, *places, tensor.size_bytes, advance):
                yield Run(offset, tensor.size_bytes, place)
                done = offset + tensor.size_bytes


def _what(tensor: Tensor) -> tuple[str, int, tuple[int, ...]]:
    return tensor.name, tensor.type_id, tensor.shape


def _offset(header: Header, tensor: Tensor) -> int:
    return header.data_offset + tensor.offset


def _are_equal(
    one: IO[bytes],
    other: IO[bytes],
    one_at: int,
    other_at: int,
    size: int,
    advance: Callable[[int], None],
) -> bool:
    one.seek(one_at)
    other.seek(other_at)
    while size:
        chunk = one.read(min(size, CHUNK_BYTES))
        if not chunk or other.read(len(chunk)) != chunk:
            return False
        size -= len(chunk)
        advance(len(chunk))
    return True
