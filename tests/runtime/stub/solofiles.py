"""Small artificial solofiles and the caches they unpack into."""

import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from builder.kit.package import write_package
from runtime.package import ENTRY_NAME, PackageHeader

RUNTIME = """#!/bin/sh
echo "path=$SOLOFILE_PATH"
for argument in "$@"; do echo "argument=$argument"; done
case "$1" in
    exit) exit "$2" ;;
    wait) echo ready; read answer ;;
esac
"""
DAY_S = 24 * 60 * 60
Run = Callable[..., subprocess.CompletedProcess[str]]


def make_package(
    folder: Path,
    runtime: str,
    *,
    filler: bytes = b"",
    lowest_system: tuple[int, int] | None = None,
) -> Path:
    files = folder / "files"
    (files / "lib").mkdir(parents=True)
    program = files / "solofile-runtime"
    program.write_text(runtime, encoding="utf-8")
    program.chmod(0o755)
    (files / "lib" / "data.so.1").write_bytes(bytes(range(256)) * 40)
    (files / "lib" / "data.so").symlink_to("data.so.1")
    (files / "lib" / "empty").touch()
    (files / "filler").write_bytes(filler)
    write_package(files, folder / ENTRY_NAME, lowest_system=lowest_system)
    return folder / ENTRY_NAME


def make_solofile(
    path: Path, launcher: Path, package: Path | bytes | None, *, method: int = zipfile.ZIP_STORED
) -> Path:
    shutil.copy(launcher, path)
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr("weights/model.gguf", bytes(1000))
        if package is not None:
            data = package if isinstance(package, bytes) else package.read_bytes()
            archive.writestr(ENTRY_NAME, data)
    return path


def folders(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "runtime").iterdir())


def folder_name(package: Path) -> str:
    return PackageHeader.unpack(package.read_bytes()).folder_name


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))
