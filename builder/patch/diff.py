"""Making a patch: what of a new solofile the old one has not, and where all else lies in that."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from builder import console
from builder.file_range import FileRange
from builder.files import atomic_file, scratch_folder, sha256_of
from builder.patch.facts import FACTS_NAME, PREFIX, Data, PatchFacts, Piece
from builder.patch.packing import MAX_DICTIONARY_BYTES, chunks_of, pack, pays
from builder.patch.parts import LAUNCHER, Parts
from builder.patch.report import Carried, Made
from builder.patch.tensors import Run, runs_of
from builder.sign.sign import detached_path
from runtime.container import Container, ContainerWriter
from runtime.errors import DamagedFileError, UsageError
from runtime.layout import layout_faults
from runtime.zip_records import COPY_AGAIN, Entry, directory_and_end

_HEADERS_NAME = f"{PREFIX}headers"
_DETACHED_NAME = f"{PREFIX}FILE.minisig"
# Of more, samples tell first whether compressing pays.
_SURELY_PACKED_BYTES = 64 << 20
# So much of an old part zstd is given at least, and less than this is not worth it.
_LEAST_KNOWN_BYTES = 16 << 20
_WORTH_BYTES = 1 << 10


def make_patch(base: Path, new: Path, output: Path) -> Made:
    """Write a patch that makes the new solofile, byte by byte, of the old one.

    Only what it carries is read; it is checked against the new one's manifest.

    Args:
        base: The old solofile.
        new: The new one.
        output: The file to write; an old one is replaced.

    Raises:
        DamagedFileError: One is no solofile, or damaged in what was read.
        DiskError: The patch cannot be written.
        UsageError: The patch would be written over one of them, or both are the same.
    """
    started = time.monotonic()
    if output.exists() and any(output.samefile(path) for path in (base, new)):
        raise UsageError(f"{output} is one of the two solofiles.", hint="Name another file.")
    old, wanted = Parts.of(base), Parts.of(new)
    _require_layout(wanted)
    if _are_equal(old, wanted):
        raise UsageError(
            f"{new} is the same as {base}, so there is nothing to patch.",
            hint="Name two solofiles that differ.",
        )
    with scratch_folder(output) as folder, atomic_file(output) as file:
        writer = _PatchWriter(ContainerWriter(file), old, wanted, folder)
        solofile = writer.pieces(wanted.entries, wanted.manifest.launcher.size)
        weights = writer.pieces(wanted.beside_entries, 0) if wanted.beside else None
        writer.finish(solofile, weights)
    beside = wanted.beside.stat().st_size if wanted.beside else 0
    return Made(
        path=str(output),
        size=output.stat().st_size,
        base=str(base),
        new=str(new),
        new_size=new.stat().st_size + beside,
        carried=writer.carried,
        seconds=round(time.monotonic() - started, 1),
    )


def _are_equal(old: Parts, new: Parts) -> bool:
    """Say whether two solofiles are, going by manifests, checksums and what lies beside them."""
    return (
        old.manifest_sha256 == new.manifest_sha256
        and old.entries == new.entries
        and old.beside_entries == new.beside_entries
        and _detached(old) == _detached(new)
    )


def _detached(parts: Parts) -> bytes:
    path = detached_path(parts.path)
    return path.read_bytes() if path.is_file() else b""


def _require_layout(parts: Parts) -> None:
    for path, start in ((parts.path, parts.manifest.launcher.size), (parts.beside, 0)):
        if path:
            with Container.open(path) as container:
                faults = layout_faults(container, start, list(container.entries))
            if faults:
                raise _damaged(path, faults)


def _damaged(path: Path, faults: Sequence[str]) -> DamagedFileError:
    return DamagedFileError(f"{path} is damaged in {', '.join(faults)}.", hint=COPY_AGAIN)


class _PatchWriter:
    """Writes a patch's entries, and notes where each run of the new files' bytes comes from.

    Attributes:
        carried: The parts that it carries.
    """

    def __init__(self, writer: ContainerWriter, old: Parts, new: Parts, folder: Path) -> None:
        self.carried: list[Carried] = []
        self._writer = writer
        self._old, self._new = old, new
        self._scratch = folder / "packed"
        self._same = {sha256: name for name, sha256 in old.sha256s.items()}
        self._data: list[Data] = []
        self._headers = bytearray()

    def pieces(self, entries: Iterable[Entry], launcher_size: int) -> list[Piece]:
        """Return where all bytes of a file come from, in order, and carry those that are new.

        Args:
            entries: What the file holds, in its order.
            launcher_size: Where its first entry or the padding before it begins.
        """
        pieces = list(self._part(LAUNCHER)) if launcher_size else []
        position = launcher_size
        for entry in entries:
            pieces.append(Piece(entry.header_offset - position))
            pieces.append(self._header(entry.local_header()))
            pieces += self._part(entry.name)
            position = entry.end
        pieces.append(self._header(directory_and_end(list(entries), position)))
        return [piece for piece in pieces if piece.size]

    def finish(self, solofile: list[Piece], weights: list[Piece] | None) -> None:
        """Write what is left, and last what the patch tells of itself."""
        detached = detached_path(self._new.path)
        if detached.is_file():
            self._carry(_DETACHED_NAME, [FileRange.of(detached)], None)
        headers = self._scratch.with_name("headers")
        headers.write_bytes(self._headers)
        self._carry(_HEADERS_NAME, [FileRange.of(headers)], None)
        facts = PatchFacts(
            base=self._old.end,
            new=self._new.end,
            data=self._data,
            solofile=solofile,
            weights=weights,
            has_same_weights=_has_same_weights(self._old, self._new),
            detached=_DETACHED_NAME if detached.is_file() else "",
        )
        text = msgspec.json.format(msgspec.json.encode(facts), indent=1) + b"\n"
        self._writer.add_bytes(FACTS_NAME, text)
        self._writer.finish()

    def _header(self, data: bytes) -> Piece:
        offset = len(self._headers)
        self._headers += data
        return Piece(len(data), data=_HEADERS_NAME, offset=offset)

    def _part(self, name: str) -> Iterator[Piece]:
        new = self._new.ranges[name]
        same = self._same.get(self._new.sha256s.get(name, ""), "")
        if same and self._old.ranges[same].size == new.size:
            yield Piece(new.size, part=same)
            return
        counterpart = self._old.counterpart(name, self._new)
        old = self._old.ranges.get(counterpart)
        data_name, position = f"{PREFIX}{name}", 0
        missing = []
        for run in runs_of(old, new) if old else [Run(0, new.size)]:
            if run.old_offset is None:
                missing.append(FileRange(new.path, new.offset + run.offset, run.size, name))
                yield Piece(run.size, data=data_name, offset=position)
                position += run.size
            else:
                yield Piece(run.size, part=counterpart, offset=run.old_offset)
        if position:
            self._require_sound(name, new)
            self._carry(data_name, missing, old)

    def _require_sound(self, name: str, data: FileRange) -> None:
        expected = self._new.sha256s.get(name)
        if expected and sha256_of(data) != expected:
            raise _damaged(self._new.path, [name])

    def _carry(self, name: str, ranges: Sequence[FileRange], old: FileRange | None) -> None:
        """Write bytes that the base has not, compressed where that pays.

        Args:
            name: The entry they get.
            ranges: Where they lie.
            old: The part they came of, whose first bytes zstd knows then.
        """
        size = sum(data.size for data in ranges)
        dictionary = _dictionary(old, size) if old else None
        is_packed = len(ranges) > 1 or size <= _SURELY_PACKED_BYTES or pays(ranges[0])
        packed = ranges[0]
        if is_packed:
            with console.progress(f"Compressing {name}", size) as advance:
                pack(_chunks(ranges, advance), size, self._scratch, dictionary)
            packed = FileRange.of(self._scratch)
        with console.progress(f"Packing {name}", packed.size) as advance:
            checksums = self._writer.add_file(
                name,
                packed.path,
                offset=packed.offset,
                size=packed.size,
                aligned=not is_packed,
                advance=advance,
            )
        data = Data(name, checksums.sha256, size, is_packed)
        if is_packed and old and dictionary:
            data = msgspec.structs.replace(
                data, dictionary=old.name, dictionary_size=dictionary.size
            )
        self._data.append(data)
        self.carried.append(Carried(name.removeprefix(PREFIX), size, packed.size))


def _has_same_weights(old: Parts, new: Parts) -> bool:
    pair = [one.manifest.sidecar for one in (old, new)]
    if not all(pair):
        return False
    one, other = (sidecar and sidecar.weights for sidecar in pair)
    return one == other and old.beside_entries == new.beside_entries


def _dictionary(old: FileRange, size: int) -> FileRange | None:
    """Return the beginning of the old part that is worth to be known for so many new bytes."""
    known = min(old.size, max(2 * size, _LEAST_KNOWN_BYTES), MAX_DICTIONARY_BYTES)
    is_worth = known >= _WORTH_BYTES and size <= MAX_DICTIONARY_BYTES
    return FileRange(old.path, old.offset, known, old.name) if is_worth else None


def _chunks(ranges: Iterable[FileRange], advance: Callable[[int], None]) -> Iterator[bytes]:
    for data in ranges:
        for chunk in chunks_of(data):
            advance(len(chunk))
            yield chunk
