"""Writing deterministic, compressed tars: `runtime.pkg`, and the kit files around it."""

import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import zstandard

from builder.files import CHUNK_BYTES, atomic_file
from runtime.package import HEADER_BYTES, PackageHeader

LEVEL = 19
# 16 MiB: the CPU variants of one library lie side by side and are much alike.
WINDOW_LOG = 24


def write_package(
    folder: Path, path: Path, *, lowest_system: tuple[int, int] | None = None
) -> PackageHeader:
    """Write a frozen runtime's folder as `runtime.pkg`; the same files give the same bytes.

    Args:
        folder: The frozen runtime.
        path: The file to write.
        lowest_system: The lowest version of glibc, or of macOS, that it runs on; None where that
            does not matter.

    Returns:
        The header it got.

    Raises:
        DiskError: The package could not be written.
    """
    unpacked_bytes = sum(
        member.stat().st_size
        for member in folder.rglob("*")
        if member.is_file() and not member.is_symlink()
    )
    with atomic_file(path) as file:
        file.write(bytes(HEADER_BYTES))
        _compress(file, lambda archive: _add_folder(archive, folder))
        compressed_bytes = file.tell() - HEADER_BYTES
        file.seek(HEADER_BYTES)
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
        header = PackageHeader(digest.digest(), compressed_bytes, unpacked_bytes, lowest_system)
        file.seek(0)
        file.write(header.pack())
    return header


def write_compressed_tar(path: Path, members: list[Path], *, level: int) -> None:
    """Write some files, by their bare names and in this order, as a zstd-compressed tar.

    Args:
        path: The file to write.
        members: The files.
        level: zstd's compression level.

    Raises:
        DiskError: The file could not be written.
    """

    def fill(archive: tarfile.TarFile) -> None:
        for member in members:
            _add(archive, member, member.name)

    with atomic_file(path) as file:
        _compress(file, fill, level=level)


def _compress(
    file: IO[bytes], fill: Callable[[tarfile.TarFile], None], *, level: int = LEVEL
) -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(level, window_log=WINDOW_LOG)
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    with (
        compressor.stream_writer(file, closefd=False) as plain,
        tarfile.open(mode="w|", fileobj=plain, format=tarfile.USTAR_FORMAT) as archive,
    ):
        fill(archive)


def _add_folder(archive: tarfile.TarFile, folder: Path) -> None:
    for member in sorted(folder.rglob("*")):
        _add(archive, member, member.relative_to(folder).as_posix())


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """Add one member without what differs between machines: times, owners, masked mode bits."""
    info = archive.gettarinfo(path, arcname=name)
    is_program = info.isdir() or bool(info.mode & 0o100)
    info.mode = 0o755 if is_program else 0o644
    info.mtime = info.uid = info.gid = 0
    info.uname = info.gname = ""
    if info.isreg():
        with path.open("rb") as file:
            archive.addfile(info, file)
    else:
        archive.addfile(info)
