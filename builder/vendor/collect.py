"""Filling a folder with all that the builder needs: part by part, what is there already stays."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from builder import console
from builder.files import atomic_file, atomic_folder, explained_disk_errors, sha256_of
from builder.locks import one_at_a_time
from builder.pypi import require_network
from builder.vendor.folder import (
    MANIFEST_NAME,
    Part,
    VendoredFile,
    VendorFolder,
    own_python,
    own_system,
    read_folder,
)
from runtime import __version__
from runtime.errors import DamagedFileError, UsageError

SUMS_NAME = "SHA256SUMS"
# It lies in the folder: that may be shared, and the folder around it not be writable.
_LOCK_NAME = ".vendor.lock"


@dataclass(frozen=True, slots=True)
class Work:
    """How one part is made.

    Args:
        part: Its name.
        what: What is in it, for people.
        key: What decides it.
        fill: Puts its files into an empty folder.
    """

    part: str
    what: str
    key: str
    fill: Callable[[Path], None]


def collect(folder: Path, works: Iterable[Work]) -> VendorFolder:
    """Fill a folder; each part is there whole or not at all, and a later run goes on.

    A second run with the folder waits for the first.

    Args:
        folder: A new or an empty one, or one that was vendored before.
        works: Its parts; others that it has go.

    Raises:
        AppError: Whatever failed, as one sentence.
    """
    require_network(f"fill {folder}")
    if folder.exists() and not folder.is_dir():
        raise _not_ours(folder)
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    waiting = f"Another command fills {folder}; waiting for it."
    with (
        explained_disk_errors(folder / MANIFEST_NAME),
        one_at_a_time(folder / _LOCK_NAME, waiting),
    ):
        found = _begun(folder)
        wanted = list(works)
        names = {work.part for work in wanted}
        for name in found.parts.keys() - names:
            found = _without(found, name)
        for work in wanted:
            found = _with(found, work)
        _write_sums(found)
    return found


def _begun(folder: Path) -> VendorFolder:
    """Return what an earlier run left of the folder."""
    fresh = VendorFolder(folder, __version__, own_python(), own_system())
    if (folder / MANIFEST_NAME).is_file():
        with suppress(DamagedFileError):
            found = read_folder(folder)
            is_ours = (found.python, found.system) == (fresh.python, fresh.system)
            return replace(fresh, parts=found.parts if is_ours else {})
    elif any(path.name != _LOCK_NAME for path in folder.iterdir()):
        raise _not_ours(folder)
    _write(fresh)
    return fresh


def _not_ours(folder: Path) -> UsageError:
    return UsageError(
        f"{folder} is there already, and `vendor` did not make it.",
        hint="Name a new or an empty folder.",
    )


def _with(found: VendorFolder, work: Work) -> VendorFolder:
    """Return the folder with a part, which is made unless it is there and sound."""
    if work.part in found.parts and found.parts[work.part].key == work.key:
        with suppress(DamagedFileError):
            found.require_sound(work.part)
            return found
    found = _without(found, work.part)
    with atomic_folder(found.path / work.part) as folder:
        work.fill(folder)
        part = Part(work.key, list(_listed(folder)))
    found = replace(found, parts={**found.parts, work.part: part})
    _write(found)
    console.info(f"{work.part}/: {work.what}, {console.human_bytes(part.size)}")
    return found


def _without(found: VendorFolder, name: str) -> VendorFolder:
    """Return the folder without a part, of which the manifest is told first."""
    found = replace(found, parts={key: part for key, part in found.parts.items() if key != name})
    _write(found)
    if (found.path / name).is_dir():
        shutil.rmtree(found.path / name)
    return found


def _listed(folder: Path) -> Iterator[VendoredFile]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            yield VendoredFile(name, path.stat().st_size, sha256_of(path))


def _write_sums(found: VendorFolder) -> None:
    """Write the list that `sha256sum -c` reads, before anything in the folder is started."""
    manifest = found.path / MANIFEST_NAME
    lines = [f"{sha256_of(manifest)}  {MANIFEST_NAME}"]
    for name, part in sorted(found.parts.items()):
        lines += [f"{file.sha256}  {name}/{file.name}" for file in part.files]
    with atomic_file(found.path / SUMS_NAME) as sums:
        sums.write("".join(f"{line}\n" for line in lines).encode())


def _write(found: VendorFolder) -> None:
    with atomic_file(found.path / MANIFEST_NAME) as file:
        file.write(found.encode())
