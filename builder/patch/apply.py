"""Making the new solofile of the old one and a patch: into a file of its own, or in its place."""

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from builder import console
from builder.change.in_place import changed_in_place, held, num_changed_bytes
from builder.change.new_file import can_clone, write_pieces
from builder.change.plan import Piece
from builder.file_range import FileRange
from builder.files import (
    atomic_file,
    atomic_path,
    explained_disk_errors,
    require_space,
    scratch_folder,
)
from builder.patch import facts
from builder.patch.facts import MAX_PADDING_BYTES
from builder.patch.file import PatchFile
from builder.patch.packing import chunks_of
from builder.patch.parts import Parts
from builder.sidecar import SidecarFile, sidecar_part
from builder.sign.sign import detached_path
from runtime.errors import DamagedFileError, UnsupportedError, UsageError
from runtime.minisign import PublicKey
from runtime.verify import Verdict, judge
from runtime.zip_records import COPY_AGAIN

# What is smaller is compared with what lies there already, and not written again.
_SMALL_BYTES = 1 << 20


class Patched(msgspec.Struct, frozen=True, kw_only=True):
    """A solofile that came out of a patch.

    Args:
        path: Where it lies.
        size: Its size in bytes.
        verdict: What was found of it.
        seconds: How long it took.
    """

    path: str
    size: int
    verdict: Verdict
    seconds: float


def apply_patch(
    base: Path, patch: Path, output: Path | None, *, key: PublicKey | None = None
) -> Patched:
    """Write the new solofile, and check every byte of it before it takes its name.

    In the old one's place it is the old or the new one whatever happens, as `builder.change` says.

    Args:
        base: The old solofile.
        patch: The patch.
        output: The file to write; None changes the old one.
        key: Who must have signed the new one; None takes what the user's trusted keys say.

    Raises:
        DamagedFileError: The patch or a part of the base is damaged, the patch is for another file,
            or the new one is not signed by the key; the sentence names it.
        DiskError: The disk is full, or the folder not writable.
        UnsupportedError: Weights beside the base would have to change in its place.
        UsageError: The base is what the patch makes already, or runs at this moment.
    """
    started = time.monotonic()
    if output and output.exists() and output.samefile(base):
        raise UsageError(f"{output} is the old file itself.", hint="Say --in-place to change it.")
    file = PatchFile.open(patch)
    with ExitStack() as stack:
        if output is None:
            stack.enter_context(held(base))
        parts = Parts.of(base)
        _require_base(parts, file)
        folder = stack.enter_context(scratch_folder(output or base))
        with explained_disk_errors(folder):
            unpacked = file.unpacked(folder, parts)
        solofile = list(_pieces(file.facts.solofile, parts, unpacked, file))
        if output:
            weights = list(_pieces(file.facts.weights or [], parts, unpacked, file))
            path = stack.enter_context(_written(solofile, weights, output, base))
        else:
            _require_same_weights(parts, file)
            path = stack.enter_context(_changed(solofile, parts))
        verdict = _judged(path, parts, file, key)
        signature = unpacked.get(file.facts.detached)
        detached = b"".join(chunks_of(signature)) if signature else b""
    target = output or base
    _put_beside(target, detached)
    return Patched(
        path=str(target),
        size=target.stat().st_size,
        verdict=msgspec.structs.replace(verdict, path=str(target)),
        seconds=round(time.monotonic() - started, 1),
    )


def _require_base(parts: Parts, file: PatchFile) -> None:
    facts = file.facts
    if parts.manifest_sha256 == facts.base.manifest_sha256:
        return
    if parts.manifest_sha256 == facts.new.manifest_sha256:
        raise UsageError(f"{parts.path} is what {file.path} makes already.")
    raise DamagedFileError(
        f"{file.path} is for another file than {parts.path}: for {facts.base.name}, whose manifest "
        f"has the SHA-256 {facts.base.manifest_sha256}, not {parts.manifest_sha256}.",
        hint="Name the file that the patch was made for.",
    )


def _require_same_weights(parts: Parts, file: PatchFile) -> None:
    if (parts.beside or file.facts.weights) and not file.facts.has_same_weights:
        raise UnsupportedError(
            f"The file of weights beside {parts.path} changes, too, and two files cannot be "
            "changed at once.",
            hint="Write new ones with -o NEW.",
        )


def _pieces(
    wanted: Iterable[facts.Piece],
    parts: Parts,
    unpacked: Mapping[str, FileRange],
    file: PatchFile,
) -> Iterator[Piece]:
    """Yield where the bytes of a new file lie on this machine."""
    offset = 0
    for piece in wanted:
        source: FileRange | bytes = bytes(0)
        if piece.part:
            source = _within(parts.part(piece.part), piece, file)
        elif piece.data in unpacked:
            source = _within(unpacked[piece.data], piece, file)
            if source.size <= _SMALL_BYTES:
                source = b"".join(chunks_of(source))
        elif not piece.data and piece.size <= MAX_PADDING_BYTES:
            source = bytes(piece.size)
        if not source:
            raise _damaged(file)
        yield Piece(offset, source)
        offset += piece.size


def _within(data: FileRange, piece: facts.Piece, file: PatchFile) -> FileRange:
    if piece.offset + piece.size > data.size:
        raise _damaged(file)
    return FileRange(data.path, data.offset + piece.offset, piece.size, data.name)


def _damaged(file: PatchFile) -> DamagedFileError:
    return DamagedFileError(
        f"{file.path} names bytes that are not there.", hint="Make it anew with `diff`."
    )


@contextmanager
def _written(
    solofile: Sequence[Piece],
    weights: Sequence[Piece],
    output: Path,
    base: Path,
    *,
    mode: int = 0o755,
) -> Iterator[Path]:
    """Give the new file under a temporary name, which it loses only if the block succeeds."""
    size = sum(pieces[-1].end for pieces in (solofile, weights) if pieces)
    is_near = base.stat().st_dev == output.parent.stat().st_dev
    if not (is_near and os.access(base.parent, os.W_OK) and can_clone(base)):
        require_space(output.parent, size, purpose="the new solofile")
    with atomic_path(output, mode=mode) as part, ExitStack() as stack:
        with console.progress("Writing", size) as advance:
            if weights:
                beside = stack.enter_context(sidecar_part(part, output))
                assert isinstance(beside, SidecarFile), "no others use it"
                write_pieces(weights, beside.path, advance=advance)
            write_pieces(solofile, part, advance=advance)
        yield part


@contextmanager
def _changed(solofile: Sequence[Piece], parts: Parts) -> Iterator[Path]:
    """Give the old file as the new one; if the block fails, it is the old one again."""
    path = parts.path.resolve()
    if parts.beside is None and can_clone(path):
        mode = stat.S_IMODE(path.stat().st_mode)
        with _written(solofile, [], path, path, mode=mode) as part:
            yield part
        return
    with ExitStack() as stack:
        with console.progress("Writing", num_changed_bytes(path, solofile)) as advance:
            stack.enter_context(changed_in_place(path, solofile, advance=advance))
        yield parts.path


def _put_beside(path: Path, detached: bytes) -> None:
    """Put the signature over all of a new file beside it, or remove that over another one."""
    beside = detached_path(path)
    if detached:
        with atomic_file(beside) as file:
            file.write(detached)
    elif beside.is_file():
        beside.unlink()
        console.info(f"{beside} was removed: it signed another file than {path} is now.")


def _judged(path: Path, base: Parts, file: PatchFile, key: PublicKey | None) -> Verdict:
    with console.progress("Checking the new file", path.stat().st_size) as advance:
        verdict = judge(path, key=key, advance=advance)
    if verdict.wrong:
        # What the patch carries was found to be sound.
        raise DamagedFileError(
            f"{base.path} is damaged in {', '.join(verdict.wrong)}, and nothing was changed.",
            hint=COPY_AGAIN,
        )
    if not verdict.is_sound:
        problem = verdict.problem.replace(str(path), "the new file")
        raise DamagedFileError(f"{file.path} was not applied: {problem}")
    if Parts.of(path).manifest_sha256 != file.facts.new.manifest_sha256:
        raise _damaged(file)
    return verdict
