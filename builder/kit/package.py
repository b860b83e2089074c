"""Writing deterministic, compressed tars: `runtime.pkg`, and the kit files around it."""

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import zstandard

from builder.files import CHUNK_BYTES, atomic_file
from builder.kit.frames import FrameWriter
from runtime.package import HEADER_BYTES, PackageHeader

# A launcher decompresses level 9 in five sixths of the time that level 19 takes.
LEVEL = 9
# 4 MiB: the CPU variants of one library lie side by side and are much alike; more of it does not
# stay in a processor's own cache.
WINDOW_LOG = 22
# A frame ends where it would become larger, plain; a larger file has one of its own.
FRAME_BYTES = 8 << 20


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
        _add_folder(file, folder)
        compressed_bytes = file.tell() - HEADER_BYTES
        file.seek(HEADER_BYTES)
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
        header = PackageHeader(digest.digest(), compressed_bytes, unpacked_bytes, lowest_system)
        file.seek(0)
        file.write(header.pack())
    return header


def package_texts(package: bytes, folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield what lies in a folder of the frozen runtime in a `runtime.pkg`, by its names there.

    Args:
        package: The file's bytes, those of an older layout included.
        folder: The folder's name, wherever it lies.
    """
    decompressor = zstandard.ZstdDecompressor()
    with (
        decompressor.stream_reader(package[HEADER_BYTES:], read_across_frames=True) as plain,
        tarfile.open(mode="r|", fileobj=plain) as archive,
    ):
        for member in archive:
            _, found, name = f"/{member.name}".partition(f"/{folder}/")
            if found and member.isreg() and (file := archive.extractfile(member)):
                yield name, file.read()


def write_compressed_tar(path: Path, members: list[Path], *, level: int) -> None:
    """Write some files, by their bare names and in this order, as a zstd-compressed tar.

    Args:
        path: The file to write.
        members: The files.
        level: zstd's compression level.

    Raises:
        DiskError: The file could not be written.
    """
    with atomic_file(path) as file:
        compressor = zstandard.ZstdCompressor(level=level)
        with (
            compressor.stream_writer(file, closefd=False) as plain,
            tarfile.open(mode="w|", fileobj=plain, format=tarfile.USTAR_FORMAT) as archive,
        ):
            for member in members:
                _add(archive, member, member.name)


def _add_folder(file: IO[bytes], folder: Path) -> None:
    frames = _frames(folder)
    parameters = zstandard.ZstdCompressionParameters.from_level(LEVEL, window_log=WINDOW_LOG)
    writer = FrameWriter(file, len(frames), parameters)
    with tarfile.open(
        mode="w", fileobj=cast("IO[bytes]", writer), format=tarfile.USTAR_FORMAT
    ) as archive:
        for number, members in enumerate(frames):
            if number:
                writer.end_frame()
            for member in members:
                _add(archive, member, member.relative_to(folder).as_posix())
    writer.end_frame()
    writer.write_index()


def _frames(folder: Path) -> list[list[Path]]:
    """Return the members of each frame: folders and links, then the files, the largest first.

    So the threads of a launcher, which each take the next frame, end at about the same time.
    """
    members = sorted(folder.rglob("*"))
    files = [member for member in members if member.is_file() and not member.is_symlink()]
    files.sort(key=lambda file: -file.stat().st_size)
    frames = [[member for member in members if member.is_symlink() or member.is_dir()]]
    room = 0
    for file in files:
        size = file.stat().st_size
        if size > room:
            frames.append([])
            room = FRAME_BYTES
        frames[-1].append(file)
        room -= size
    return frames


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
