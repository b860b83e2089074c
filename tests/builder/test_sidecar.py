"""Weights beside the solofile: written, found, told from others, and read beyond 4 GiB."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from builder import make
from builder.contents import Contents
from builder.kit.kit import Kit
from builder.make import Order, make_solofile
from builder.pack import write_solofile
from builder.sidecar import SidecarFile, sidecar_part
from builder.sources.gguf_file import GgufFile
from builder.sources.solofile import Solofile
from builder.targets import Target, host_target
from runtime.container import ALIGNMENT
from runtime.errors import DamagedFileError
from runtime.manifest import EntryFacts, Manifest, Sidecar, decode, encode
from runtime.payload import find_payload
from runtime.sidecar import open_sidecar
from runtime.verify import verify
from runtime.zip_records import Entry, directory_and_end
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_gguf


@pytest.fixture
def contents(tmp_path: Path, tiny_kit: Kit) -> Contents:
    weights = write_gguf(tmp_path / "weights.gguf")
    return contents_of(
        tiny_kit,
        weights,
        "Tiny",
        "Tiny.F32.gguf",
    )


def write(contents: Contents, path: Path) -> Manifest:
    name = f"{path.stem}.weights"
    return write_solofile(contents, path, SidecarFile(path.with_name(name), name))


@pytest.mark.parametrize("name", ["model", "model.exe"])
def test_weights_beside_are_found(contents: Contents, tmp_path: Path, name: str) -> None:
    """The runtime finds them where they lie, aligned; `verify` and the builder read them."""
    path, beside = tmp_path / name, tmp_path / "model.weights"
    manifest = write(contents, path)
    assert "Tiny.F32.gguf" not in [facts.name for facts in manifest.entries]
    assert verify(path) == []
    weights = find_payload(path).weights
    assert (weights.path, weights.offset % ALIGNMENT) == (beside, 0)
    data = beside.read_bytes()[weights.offset : weights.offset + weights.size]
    assert data == contents.weights.read_bytes()
    assert Solofile(path).fetch().files[0].data.path == beside


def test_renamed(contents: Contents, tmp_path: Path) -> None:
    """Both may be renamed alike, and the solofile alone; the weights alone may not."""
    path, beside = tmp_path / "model.exe", tmp_path / "model.weights"
    write(contents, path)
    path = path.rename(tmp_path / "other.exe")
    assert find_payload(path).weights.path == beside
    beside = beside.rename(tmp_path / "other.weights")
    assert find_payload(path).weights.path == beside
    beside.rename(tmp_path / "third.weights")
    missing = r"there is no other\.weights or model\.weights beside it\. Copy model\.weights into"
    with pytest.raises(DamagedFileError, match=missing):
        find_payload(path)
    assert verify(path)[0].startswith("the file of weights beside it (The weights of ")


def test_weights_of_another_build(contents: Contents, tmp_path: Path) -> None:
    """Weights of the same size and name are told from the right ones at once."""
    path = tmp_path / "model"
    write(contents, path)
    data = bytearray(contents.weights.read_bytes())
    data[-1] ^= 1
    contents.weights.write_bytes(data)
    (tmp_path / "new").mkdir()
    write(contents, tmp_path / "new" / "model")
    (tmp_path / "new" / "model.weights").replace(tmp_path / "model.weights")
    with pytest.raises(DamagedFileError, match=r"model\.weights holds other weights than"):
        find_payload(path)


def test_damaged_weights(contents: Contents, tmp_path: Path) -> None:
    """A file that is cut short is refused; `verify` names a part that was altered."""
    path, beside = tmp_path / "model", tmp_path / "model.weights"
    write(contents, path)
    data = bytearray(beside.read_bytes())
    beside.write_bytes(data[:-100])
    with pytest.raises(DamagedFileError, match=r"model\.weights .* cut short"):
        find_payload(path)
    data[find_end(data) - 1] ^= 1
    beside.write_bytes(data)
    assert verify(path) == ["Tiny.F32.gguf in model.weights"]


def find_end(data: bytearray) -> int:
    """Return where the entry ends: the central directory follows."""
    return data.rindex(b"PK\x01\x02")


def test_beyond_4_gib(contents: Contents, tmp_path: Path) -> None:
    """Weights of 5 GiB, mostly a hole, are found and read at their end."""
    path, beside = tmp_path / "model", tmp_path / "model.weights"
    manifest = write(contents, path)
    blank = Entry("big.gguf", 0, 5 << 30, 7)
    entry = Entry("big.gguf", ALIGNMENT - blank.offset, 5 << 30, 7)
    with beside.open("wb") as file:
        file.seek(entry.header_offset)
        file.write(entry.local_header())
        file.seek(entry.end - 4)
        file.write(b"last" + directory_and_end([entry], entry.end))
    facts = EntryFacts(name="big.gguf", role="weights", size=entry.size, sha256="")
    sidecar = Sidecar(name=beside.name, weights=facts, crc32=7)
    manifest = decode(encode(msgspec.structs.replace(manifest, sidecar=sidecar)), path)
    assert manifest.sidecar is not None
    with open_sidecar(path, manifest.sidecar) as container:
        found = container.entry(manifest.weights.name)
        assert (found.offset, found.size) == (ALIGNMENT, 5 << 30)
        assert b"".join(container.range(found.end - 4, found.end)) == b"last"


@pytest.mark.parametrize("has_sidecar", [True, False])
def test_a_build_with_weights_beside(
    tmp_path: Path, tiny_kit: Kit, monkeypatch: pytest.MonkeyPatch, has_sidecar: bool
) -> None:
    """They are put beside where that is asked for, or where the system starts no larger file."""
    monkeypatch.setattr(make, "ensure_kit", lambda target, **options: tiny_kit)
    source = GgufFile(write_gguf(tmp_path / "Tiny.F32.gguf"))
    most = tiny_kit.launcher.stat().st_size + tiny_kit.runtime_pkg.stat().st_size + (2 << 20)
    target = host_target() if has_sidecar else Target("small", max_file_bytes=most)
    order = Order(source=source, target=target, output=tmp_path / "model", has_sidecar=has_sidecar)

    report = make_solofile(order)

    beside = tmp_path / "model.weights"
    assert report.sidecar == str(beside)
    assert report.size == (tmp_path / "model").stat().st_size + beside.stat().st_size
    assert ("With its weights", str(beside)) in report.lines()
    assert find_payload(tmp_path / "model").weights.path == beside
    assert verify(tmp_path / "model") == []
    assert not list(tmp_path.glob("*.part*"))


def test_what_a_killed_build_left(tmp_path: Path) -> None:
    """The next build removes weights under a temporary name, but not those being made."""
    orphan = tmp_path / ".model.abcdefgh.part.weights"
    used = tmp_path / ".model.ijklmnop.part.weights"
    for path in (orphan, used, used.with_suffix("")):
        path.touch()
    with sidecar_part(tmp_path / ".model.qrstuvwx.part", tmp_path / "model") as beside:
        assert isinstance(beside, SidecarFile)
        beside.path.touch()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [used.with_suffix("").name, used.name, "model.weights"]


def test_extract(contents: Contents, tmp_path: Path) -> None:
    """Weights beside are extracted like those inside."""
    path = tmp_path / "model"
    write(contents, path)
    command = [sys.executable, "-m", "runtime", "extract", "-f", str(path), "-C", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "Tiny.F32.gguf").read_bytes() == contents.weights.read_bytes()
