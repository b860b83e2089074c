"""Damaged solofiles: always a sentence and an exit code, never a crash."""

import hashlib
import os
import random
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import builder.kit.package
from runtime.package import HEADER_BYTES, INDEX_HEADER, INDEX_MAGIC, MAGIC, PackageHeader
from tests.runtime.stub.solofiles import RUNTIME, Run, folders, make_package, make_solofile


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


def test_an_interrupted_change(tmp_path: Path, solofile: Path, run: Run) -> None:
    """Where the builder's journal lies beside the file, that is what is told."""
    chat = tmp_path / "chat"
    shutil.copy(solofile, chat)
    with chat.open("r+b") as file:
        file.seek(-22, os.SEEK_END)
        file.write(bytes(22))
    (tmp_path / "chat.journal").write_bytes(b"what it was")
    completed = run(chat)
    assert completed.returncode == 3
    assert completed.stderr == (
        "chat: The file was being changed, and that was interrupted, its end is missing; let the "
        "builder's command `verify` restore it.\n"
    )


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


def test_damaged_runtime(tmp_path: Path, launcher: Path, cache: Path, run: Run) -> None:
    """A changed byte anywhere in the stream is noticed, and nothing is left that was unpacked."""
    package = make_framed_package(tmp_path / "package")
    size = package.stat().st_size
    for spot in {*range(HEADER_BYTES, HEADER_BYTES + 40), *range(HEADER_BYTES, size, size // 60)}:
        data = bytearray(package.read_bytes())
        data[spot] ^= 1

        completed = run(make_solofile(tmp_path / "model", launcher, bytes(data)))

        assert completed.returncode == 3, f"byte {spot}: {completed}"
        assert completed.stderr == (
            "model: The runtime inside the file is damaged; copy or download the file again.\n"
        )
        assert folders(cache) == []


def make_framed_package(folder: Path) -> Path:
    """Make a package of several frames, of bytes that do not compress."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder.kit.package, "FRAME_BYTES", 20_000)
        return make_package(folder, RUNTIME, filler=random.Random(0).randbytes(30_000))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sizes: sizes[:-1], id="too few"),
        pytest.param(lambda sizes: [*sizes, 1], id="too many"),
        pytest.param(lambda sizes: [sizes[0] + 1, sizes[1] - 1, *sizes[2:]], id="shifted"),
        pytest.param(lambda sizes: [sizes[0], *sizes[:0:-1]], id="swapped"),
        pytest.param(lambda sizes: [], id="none"),
        pytest.param(lambda sizes: [*sizes, *[0] * 2000], id="beyond all bounds"),
    ],
)
def test_index_that_lies(
    tmp_path: Path,
    launcher: Path,
    cache: Path,
    run: Run,
    change: Callable[[list[int]], list[int]],
) -> None:
    """Sizes of frames that are not theirs are a damaged runtime, whatever the digest says."""
    data = make_framed_package(tmp_path / "package").read_bytes()
    header = PackageHeader.unpack(data)
    begin = HEADER_BYTES + INDEX_HEADER.size
    _, index_bytes = INDEX_HEADER.unpack_from(data, HEADER_BYTES)
    sizes = change(list(struct.unpack_from(f"<{index_bytes // 4}I", data, begin)))
    stream = INDEX_HEADER.pack(INDEX_MAGIC, 4 * len(sizes)) + struct.pack(f"<{len(sizes)}I", *sizes)
    stream += data[begin + index_bytes :]
    told = PackageHeader(hashlib.sha256(stream).digest(), len(stream), header.unpacked_bytes)
    solofile = make_solofile(tmp_path / "model", launcher, told.pack() + stream)

    completed = run(solofile)

    assert completed.returncode == 3, completed
    assert "The runtime inside the file is damaged" in completed.stderr
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
