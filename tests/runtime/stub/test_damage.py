"""Damaged solofiles: always a sentence and an exit code, never a crash."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from runtime.package import HEADER_BYTES, MAGIC, PackageHeader
from tests.runtime.stub.solofiles import Run, folders, make_package, make_solofile


def find_package(solofile: bytearray) -> int:
    # The launcher itself holds the magic and the name too; behind the name comes the entry.
    return solofile.index(MAGIC, solofile.index(b"model.gguf"))


def test_cut_short_anywhere(tmp_path: Path, launcher: Path, solofile: Path, run: Run) -> None:
    """A file cut at any point behind the launcher says so and exits 3."""
    whole = solofile.read_bytes()
    start = launcher.stat().st_size
    cuts = {*range(start, len(whole), 101), *range(len(whole) - 150, len(whole))}
    cut_file = tmp_path / "cut"
    shutil.copy(solofile, cut_file)
    for size in sorted(cuts, reverse=True):
        os.truncate(cut_file, size)
        completed = run(cut_file)
        assert completed.returncode == 3, f"cut at {size}: {completed}"
        assert completed.stderr.startswith("cut: The file is cut short or damaged, its ")
        assert completed.stderr.endswith("; copy or download it again.\n")


def test_any_byte_of_the_directory_changed(
    tmp_path: Path, solofile: Path, package: Path, run: Run
) -> None:
    """No changed byte in the zip's records or the header makes the launcher crash."""
    whole = bytearray(solofile.read_bytes())
    data = find_package(whole)
    directory = whole.index(b"PK\x01\x02", data)
    spots = [*range(data - 45, data + HEADER_BYTES), *range(directory, len(whole))]
    changed_file = tmp_path / "changed"
    for spot in spots:
        changed = whole.copy()
        changed[spot] ^= 0xFF
        changed_file.write_bytes(changed)
        changed_file.chmod(0o755)
        completed = run(changed_file)
        assert completed.returncode in {0, 3, 4, 5}, f"byte {spot}: {completed}"
        assert completed.returncode == 0 or completed.stderr.startswith("changed: Th")


def test_damaged_runtime(tmp_path: Path, solofile: Path, cache: Path, run: Run) -> None:
    """A changed byte of the stream is noticed before anything is unpacked."""
    data = bytearray(solofile.read_bytes())
    package = find_package(data)
    data[package + HEADER_BYTES + 200] ^= 1
    solofile.write_bytes(data)

    completed = run(solofile)

    assert completed.returncode == 3
    assert completed.stderr == (
        "model: The runtime inside the file is damaged; copy or download the file again.\n"
    )
    assert folders(cache) == []


@pytest.mark.parametrize("stream", [b"", b"not zstd at all"])
def test_stream_that_is_none(
    tmp_path: Path, launcher: Path, cache: Path, run: Run, stream: bytes
) -> None:
    """A stream with the right digest that does not unpack is a damaged runtime too."""
    header = PackageHeader(hashlib.sha256(stream).digest(), len(stream), 10)
    solofile = make_solofile(tmp_path / "model", launcher, header.pack() + stream)

    completed = run(solofile)

    assert completed.returncode == 3
    assert "The runtime inside the file is damaged" in completed.stderr
    assert folders(cache) == []


def test_no_runtime(tmp_path: Path, launcher: Path, run: Run) -> None:
    """An archive without the entry is named as such."""
    completed = run(make_solofile(tmp_path / "model", launcher, None))

    assert completed.returncode == 3
    assert completed.stderr == (
        "model: The file carries no runtime, it has no entry runtime.pkg; build it again.\n"
    )


def test_compressed_runtime(tmp_path: Path, launcher: Path, package: Path, run: Run) -> None:
    """A runtime that a zip tool compressed is refused with the reason."""
    solofile = make_solofile(tmp_path / "model", launcher, package, method=zipfile.ZIP_DEFLATED)

    completed = run(solofile)

    assert completed.returncode == 3
    assert "The runtime in the file is compressed" in completed.stderr


def test_bare_launcher(launcher: Path, run: Run) -> None:
    """The launcher without an archive behind it says that its end is missing."""
    completed = run(launcher)

    assert completed.returncode == 3
    assert "its end is missing" in completed.stderr


def test_program_that_cannot_start(tmp_path: Path, launcher: Path, run: Run) -> None:
    """A runtime that the system does not start exits 4 with the system's reason."""
    package = make_package(tmp_path / "package", "#!/no/such/loader\n")

    completed = run(make_solofile(tmp_path / "model", launcher, package))

    assert completed.returncode == 4
    assert "solofile-runtime, No such file or directory; give --unpack-dir" in completed.stderr
