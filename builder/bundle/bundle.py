"""Making a bundle: solofiles, what to read, what checks and installs them, digests, signature."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from builder import console
from builder.bundle.archive import write_tar
from builder.bundle.documents import write_documents, write_readmes, write_scripts
from builder.bundle.member import Member, carry_members, make_members
from builder.bundle.report import BundledSolofile, BundleReport
from builder.bundle.sums import file_sums, write_sums, write_systems
from builder.bundle.volumes import SplitFile, Volumes, split_file
from builder.files import atomic_folder, explained_disk_errors, require_space, require_writable
from builder.recipe.job import Job
from builder.sign.secret_key import SecretKey
from builder.sign.sign import write_detached
from runtime.errors import UsageError

KEY_NAME = "signer.pub"


@dataclass(frozen=True, slots=True)
class BundleOrder:
    """What is to be bundled.

    Args:
        folder: The bundle; a new folder.
        jobs: Models to make solofiles of.
        finished: Solofiles to carry as they are, where there are no jobs.
        volumes: What the medium takes; None takes everything.
        has_tar: Whether a tar of the folder is made beside it.
        signer: The key that signs the list of digests; None leaves it unsigned.
    """

    folder: Path
    jobs: Sequence[Job] = ()
    finished: Sequence[Path] = ()
    volumes: Volumes | None = None
    has_tar: bool = False
    signer: SecretKey | None = field(default=None, repr=False)


def make_bundle(order: BundleOrder) -> BundleReport:
    """Make a bundle; the folder is there when it is whole, and not before.

    Raises:
        AppError: Whatever failed, as one sentence.
    """
    started = time.monotonic()
    folder = order.folder
    _require_new(folder)
    with atomic_folder(folder) as part:
        members = make_members(order.jobs, part) or carry_members(order.finished, part)
        splits = _fill(part, members, order)
        files = [path for path in part.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
    tar = folder.with_name(f"{folder.name}.tar") if order.has_tar else None
    if tar:
        require_space(folder.parent, size, purpose="the tar")
        with console.progress("Writing the tar", size) as advance:
            write_tar(folder, tar, advance)
    return BundleReport(
        path=str(folder),
        tar=str(tar or ""),
        size=size,
        files=len(files),
        solofiles=[
            BundledSolofile(
                file=one.path.name,
                name=one.manifest.name,
                target=one.manifest.kit.target,
                weights=one.weights.name if one.weights else "",
            )
            for one in members
        ],
        parts={split.name: len(split.parts) for split in splits},
        key=order.signer.public.number if order.signer else "",
        seconds=round(time.monotonic() - started, 1),
    )


def _require_new(folder: Path) -> None:
    """Check that a folder can be made, or replaced because nothing is in it.

    Raises:
        DiskError: Nothing can be written there.
        UsageError: Something is there already.
    """
    if os.path.ismount(folder):
        raise UsageError(
            f"{folder} is a whole disk.", hint=f"Name a new folder on it, as {folder / 'model'}."
        )
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if folder.exists():
        raise UsageError(f"{folder} is there already.", hint="Remove it, or name a new folder.")
    with explained_disk_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    require_writable(folder.parent)


def _fill(folder: Path, members: Sequence[Member], order: BundleOrder) -> list[SplitFile]:
    """Write everything that stands around the solofiles, and cut what is too large."""
    key = order.signer.public if order.signer else None
    write_documents(folder, members)
    needed = _needed_bytes(members)
    splits = _split(members, order.volumes) if order.volumes else []
    write_readmes(folder, members, splits, key, needed)
    write_scripts(folder, members)
    if key:
        (folder / KEY_NAME).write_text(key.file(), encoding="utf-8", newline="\n")
    known = {part.name: part.sha256 for split in splits for part in split.parts}
    size = sum(path.stat().st_size for path in folder.iterdir() if path.name not in known)
    with console.progress("Computing digests", size) as advance:
        known |= file_sums(folder, known, advance)
        write_systems(folder, members, splits, known)
        sums = write_sums(folder, file_sums(folder, known, advance))
    if order.signer:
        write_detached(sums, order.signer)
    return splits


def _needed_bytes(members: Sequence[Member]) -> int:
    """Return what the files of that system take which needs most."""
    by_target: dict[str, set[Path]] = {}
    for member in members:
        by_target.setdefault(member.manifest.kit.target, set()).update(member.files)
    return max(sum(path.stat().st_size for path in files) for files in by_target.values())


def _split(members: Sequence[Member], volumes: Volumes) -> list[SplitFile]:
    files = dict.fromkeys(path for member in members for path in member.files)
    sizes = {path: path.stat().st_size for path in files}
    large = {path: size for path, size in sizes.items() if size > volumes.max_file_bytes}
    if not large:
        return []
    require_space(next(iter(large)).parent, max(large.values()), purpose="a file in parts")
    with console.progress("Cutting into parts", sum(large.values())) as advance:
        return [split_file(path, volumes.part_bytes, advance) for path in large]
