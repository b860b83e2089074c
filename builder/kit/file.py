"""Carrying kits between machines: a .kit file is a zstd-compressed tar of a kit's three files."""

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import zstandard

from builder.files import atomic_folder, sha256_of
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
    return f"solofile-{kit.info.solofile}-{kit.info.target}.kit"


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
    """Return what a .kit file says of itself.

    Raises:
        DamagedFileError: It is not a kit, or damaged.
        UnsupportedError: Its layout is newer than this version knows.
        UsageError: There is no such file.
    """
    with _opened(path) as archive:
        return decode_info(_read_info(archive), path)


def import_kit(path: Path) -> Kit:
    """Take a kit from its file into the cache folder, after checking every byte.

    Raises:
        DamagedFileError: It is not a kit, or damaged.
        DiskError: The cache folder is not writable or its disk is full.
        UnsupportedError: Its layout is newer than this version knows.
        UsageError: There is no such file.
    """
    with _opened(path) as archive:
        data = _read_info(archive)
        info = decode_info(data, path)
        folder = imported_folder() / f"{info.target}-{info.digest}"
        with atomic_folder(folder) as part:
            (part / INFO_NAME).write_bytes(data)
            launcher, package = part / LAUNCHER_NAME, part / ENTRY_NAME
            _extract(archive, launcher, info.launcher_size, info.launcher_sha256)
            _extract(archive, package, info.runtime_size, info.runtime_sha256)
            launcher.chmod(0o755)
    return load_kit(folder)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", hint="A kit's file ends with .kit.")
    try:
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as plain,
            tarfile.open(fileobj=plain, mode="r|") as archive,
        ):
            yield archive
    except (tarfile.TarError, zstandard.ZstdError, EOFError, _NotAKitError) as error:
        raise DamagedFileError(
            f"{path} is not a kit, or damaged.", hint="Copy it again, or export it anew."
        ) from error


class _NotAKitError(Exception):
    """The file is a compressed tar, but not a kit's."""


def _read_info(archive: tarfile.TarFile) -> bytes:
    return _next_member(archive, INFO_NAME, _MAX_INFO_BYTES).read()


def _extract(archive: tarfile.TarFile, path: Path, size_bytes: int, sha256: str) -> None:
    source = _next_member(archive, path.name, size_bytes)
    with path.open("wb") as file:
        shutil.copyfileobj(source, file)
    if path.stat().st_size != size_bytes or sha256_of(path) != sha256:
        raise _NotAKitError(f"{path.name} is not as {INFO_NAME} says")


def _next_member(archive: tarfile.TarFile, name: str, max_bytes: int) -> IO[bytes]:
    member = archive.next()
    file = archive.extractfile(member) if member and member.isreg() else None
    if member is None or file is None or member.name != name or member.size > max_bytes:
        raise _NotAKitError(f"{name} is not where it should be")
    return file
