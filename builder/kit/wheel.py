"""Kits as wheels, so that pip brings them: any system's, to builders on any system."""

import base64
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path

from builder.files import atomic_file, sha256_of
from builder.kit.installed import FOLDER, distribution_name
from builder.kit.kit import INFO_NAME, LAUNCHER_NAME, Kit
from runtime.package import ENTRY_NAME

# Binary distribution format, packaging.python.org: no code in it, so no Python or system it needs.
_TAG = "py3-none-any"
_WHEEL = f"Wheel-Version: 1.0\nGenerator: solofile\nRoot-Is-Purelib: true\nTag: {_TAG}\n"
_METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: The launcher and the runtime that solofile packs for {kit}
License: MIT
"""


def write_wheel(kit: Kit, folder: Path) -> Path:
    """Write a kit as a wheel of solofile's version; the same kit gives the same bytes.

    Args:
        kit: The kit.
        folder: Where the wheel goes, under the name that pip wants.

    Raises:
        DiskError: It could not be written.
    """
    name, version = distribution_name(kit.info.name), kit.info.solofile
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = _METADATA.format(name=name, version=version, kit=kit.info.name)
    texts = {"METADATA": metadata, "WHEEL": _WHEEL}
    path = folder / f"{stem}-{_TAG}.whl"
    with atomic_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        record = []
        for member in (INFO_NAME, LAUNCHER_NAME, ENTRY_NAME):
            source, entry = kit.folder / member, _entry(f"{FOLDER}/{kit.info.name}/{member}")
            with source.open("rb") as plain, archive.open(entry, "w") as stored:
                shutil.copyfileobj(plain, stored)
            record.append(_line(entry.filename, sha256_of(source), source.stat().st_size))
        for member, text in texts.items():
            entry = _entry(f"{stem}.dist-info/{member}")
            archive.writestr(entry, text)
            record.append(_line(entry.filename, sha256(text.encode()).hexdigest(), len(text)))
        entry = _entry(f"{stem}.dist-info/RECORD")
        archive.writestr(entry, "".join([*record, f"{entry.filename},,\n"]))
    return path


def _entry(name: str) -> zipfile.ZipInfo:
    """Return the head of a member, stored and without what differs between machines."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    mode = 0o755 if name.endswith(f"/{LAUNCHER_NAME}") else 0o644
    entry.external_attr = (0o100000 | mode) << 16
    return entry


def _line(name: str, digest: str, size_bytes: int) -> str:
    encoded = base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()
    return f"{name},sha256={encoded},{size_bytes}\n"
