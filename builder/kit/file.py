"""Carrying kits between machines: a .kit file is a zstd-compressed tar of a kit's three files.

A kit's wheel (`wheel.py`) is read here as well.
"""

import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import IO

import zstandard

from builder.cache.layout import scratch_path
from builder.files import atomic_folder, scratch_folder, sha256_of
from builder.kit.installed import FOLDER
from builder.kit.kit import (
    INFO_NAME,
    LAUNCHER_NAME,
    Kit,
    KitInfo,
    decode_info,
    imported_folder,
    load_kit,
)
from builder.kit.package import write_compressed_tar
from runtime.errors import DamagedFileError, UsageError
from runtime.package import ENTRY_NAME

# runtime.pkg is compressed already.
_LEVEL = 3
_MAX_INFO_BYTES = 1 << 16


def kit_file_name(kit: Kit) -> str:
    """Return what a .kit file is called unless the user says otherwise."""
    return f"solofile-{kit.info.solofile}-{kit.info.name}.kit"


def export_kit(kit: Kit, path: Path) -> Path:
    """Write a kit as one file to carry to another machine.

    Args:
        kit: The kit.
        path: The file, or a folder that gets a file of the usual name.

    Returns:
        The file.

    Raises:
        DiskError: It could not be written.
    """
    if path.is_dir():
        path = path / kit_file_name(kit)
    members = [kit.folder / name for name in (INFO_NAME, LAUNCHER_NAME, ENTRY_NAME)]
    write_compressed_tar(path, members, level=_LEVEL)
    return path


def read_kit_file(path: Path) -> KitInfo:
    """Return what a .kit file or a kit's wheel says of itself.

    Raises:
        DamagedFileError: It is not a kit, or damaged.
        UnsupportedError: Its layout is newer than this version knows.
        UsageError: There is no such file.
    """
    with _opened(path) as member:
        return decode_info(_read_info(member), path)


def import_kit(path: Path) -> Kit:
    """Take a kit from its file or wheel into the cache folder, after checking every byte.

    Raises:
        DamagedFileError: It is not a kit, or damaged.
        DiskError: The cache folder is not writable or its disk is full.
        UnsupportedError: Its layout is newer than this version knows.
        UsageError: There is no such file.
    """
    info = read_kit_file(path)
    folder = imported_folder() / f"{info.target}-{info.digest}"
    with atomic_folder(folder) as part:
        _unpack(path, part)
    return load_kit(folder)


@contextmanager
def unpacked_kit(path: Path) -> Iterator[Kit]:
    """Give the kit in a file or wheel, after checking every byte, as long as the block lasts.

    Raises:
        DamagedFileError: It is not a kit, or damaged.
        DiskError: The cache folder is not writable or its disk is full.
        UnsupportedError: Its layout is newer than this version knows.
        UsageError: There is no such file.
    """
    with scratch_folder(scratch_path("kit-file")) as folder:
        _unpack(path, folder)
        yield load_kit(folder)


def _unpack(path: Path, folder: Path) -> None:
    with _opened(path) as member:
        data = _read_info(member)
        info = decode_info(data, path)
        (folder / INFO_NAME).write_bytes(data)
        launcher, package = folder / LAUNCHER_NAME, folder / ENTRY_NAME
        _extract(member, launcher, info.launcher_size, info.launcher_sha256)
        _extract(member, package, info.runtime_size, info.runtime_sha256)
        launcher.chmod(0o755)


# Opens a member of a kit's file by its name, which has at most so many bytes.
_Member = Callable[[str, int], IO[bytes]]


@contextmanager
def _opened(path: Path) -> Iterator[_Member]:
    if not path.is_file():
        raise UsageError(
            f"There is no file {path}.", hint="A kit's file ends with .kit, its wheel with .whl."
        )
    try:
        with _wheel(path) if path.suffix == ".whl" else _compressed_tar(path) as member:
            yield member
    except (tarfile.TarError, zstandard.ZstdError, EOFError, _NotAKitError) as error:
        raise DamagedFileError(
            f"{path} is not a kit, or damaged.", hint="Copy it again, or export it anew."
        ) from error


class _NotAKitError(Exception):
    """The file is an archive, but not a kit's."""


@contextmanager
def _compressed_tar(path: Path) -> Iterator[_Member]:
    with (
        path.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as archive,
    ):

        def open_next(name: str, max_bytes: int) -> IO[bytes]:
            member = archive.next()
            file = archive.extractfile(member) if member and member.isreg() else None
            if member is None or file is None or member.name != name or member.size > max_bytes:
                raise _NotAKitError(f"{name} is not where it should be")
            return file

        yield open_next


@contextmanager
def _wheel(path: Path) -> Iterator[_Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield partial(_open_in_wheel, archive)
    except (zipfile.BadZipFile, RuntimeError, ValueError) as error:
        # What zipfile makes of damaged records: unknown versions, ciphers, names that are no text.
        raise _NotAKitError(str(error)) from error


def _open_in_wheel(archive: zipfile.ZipFile, name: str, max_bytes: int) -> IO[bytes]:
    found = [one for one in archive.infolist() if fnmatch(one.filename, f"{FOLDER}/*/{name}")]
    if len(found) != 1 or found[0].file_size > max_bytes:
        raise _NotAKitError(f"{name} is not where it should be")
    try:
        return archive.open(found[0])
    except OSError as error:
        raise _NotAKitError(f"{name} is said to lie outside of the file") from error


def _read_info(member: _Member) -> bytes:
    return member(INFO_NAME, _MAX_INFO_BYTES).read()


def _extract(member: _Member, path: Path, size_bytes: int, sha256: str) -> None:
    with member(path.name, size_bytes) as source, path.open("wb") as file:
        shutil.copyfileobj(source, file)
    if path.stat().st_size != size_bytes or sha256_of(path) != sha256:
        raise _NotAKitError(f"{path.name} is not as {INFO_NAME} says")
