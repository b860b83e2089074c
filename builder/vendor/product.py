"""Compiled products in a vendored folder: llama.cpp's libraries, so that nobody compiles them."""

import tarfile
from pathlib import Path

import zstandard

from builder import console
from builder.files import atomic_folder
from builder.kit.package import write_compressed_tar
from builder.vendor.folder import LIBRARIES, offline_folder

_SUFFIX = ".tar.zst"
_LEVEL = 9


def write_product(product: Path, folder: Path) -> None:
    """Write a product's files into a folder, as one that `unpack_vendored` takes.

    Args:
        product: Where it lies; the folder's name tells everything that decides it.
        folder: The libraries of a vendored folder.

    Raises:
        DiskError: It could not be written.
    """
    path = folder / f"{product.name}{_SUFFIX}"
    write_compressed_tar(path, sorted(product.iterdir()), level=_LEVEL)


def unpack_vendored(product: Path) -> bool:
    """Take a product out of the vendored folder that the builder works from.

    Args:
        product: Where it is to lie; it is there whole or not at all.

    Returns:
        Whether it was there.

    Raises:
        DamagedFileError: Its file is damaged.
        DiskError: The cache is full or not writable.
    """
    offline = offline_folder()
    path = offline.file(LIBRARIES, f"{product.name}{_SUFFIX}") if offline else None
    if path is None:
        return False
    with (
        console.status(f"Unpacking {path.name}"),
        atomic_folder(product) as part,
        path.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as archive,
    ):
        archive.extractall(part, filter="data")
    return True
