"""llamafiles and other archives with GGUFs in them."""

import zipfile
from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.gguf.header import read_header
from builder.sources.llamafile import Llamafile
from runtime.errors import DamagedFileError
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_llamafile import write_llamafile


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A small GGUF."""
    return write_gguf(tmp_path / "weights.gguf")


def test_the_model_inside(tmp_path: Path, weights: Path) -> None:
    """It is found where it lies in the file, byte for byte, and its header is read there."""
    path = write_llamafile(
        tmp_path / "a.llamafile", {"Tiny.F32.gguf": weights}, "-m\nTiny.F32.gguf\n--temp\n0.2\n..."
    )
    assert Llamafile(path).resolve().label == f"Tiny.F32.gguf inside {path}"
    fetched = Llamafile(path).fetch()
    (file,) = fetched.files
    data = file.data
    assert (file.path, file.name) == (path, "Tiny.F32.gguf")
    assert path.read_bytes()[data.offset : data.offset + data.size] == weights.read_bytes()
    assert read_header(data) == read_header(weights)
    assert fetched.settings == {"temp": 0.2}
    assert (fetched.origin.kind, fetched.origin.repository) == ("llamafile", "a.llamafile")


def test_its_companions(tmp_path: Path, weights: Path) -> None:
    """Projector, draft and adapter are those that the arguments name."""
    names = ("a.gguf", "mmproj-a.gguf", "d.gguf", "l.gguf")
    path = write_llamafile(
        tmp_path / "a.llamafile",
        dict.fromkeys(names, weights),
        "--mmproj\nmmproj-a.gguf\n-md\nd.gguf\n--lora\nl.gguf",
    )
    fetched = Llamafile(path).fetch()
    assert fetched.files[0].name == "a.gguf"
    assert fetched.projector is not None
    assert fetched.draft is not None
    named = [fetched.projector.resolve().file_name, fetched.draft.name, fetched.adapters[0].name]
    assert named == ["mmproj-a.gguf", "d.gguf", "l.gguf"]


def test_several_models(tmp_path: Path, weights: Path) -> None:
    """The arguments choose one, or whoever builds; nobody guesses."""
    files = {"a.gguf": weights, "b.gguf": weights}
    path = write_llamafile(tmp_path / "a.llamafile", files)
    with pytest.raises(SourceError, match=r"holds more than one model: a\.gguf, b\.gguf") as caught:
        Llamafile(path).resolve()
    assert caught.value.hint == f"Name one, as in {path}:a.gguf."
    assert Llamafile(path, "b.gguf").fetch().files[0].name == "b.gguf"
    path = write_llamafile(tmp_path / "b.llamafile", files, "-m\n/zip/b.gguf")
    assert Llamafile(path).fetch().files[0].name == "b.gguf"


@pytest.mark.parametrize(
    ("arguments", "wanted"), [("-m\nc.gguf", ""), (None, "c.gguf"), ("-m\na.gguf", "c.gguf")]
)
def test_one_that_is_not_there(
    tmp_path: Path, weights: Path, arguments: str | None, wanted: str
) -> None:
    """What is named must be inside; what is inside is listed."""
    path = write_llamafile(tmp_path / "a.llamafile", {"a.gguf": weights}, arguments)
    with pytest.raises(SourceError, match=r"holds no c\.gguf") as caught:
        Llamafile(path, wanted).resolve()
    assert "Inside are a.gguf" in caught.value.hint


def test_none_at_all(tmp_path: Path, weights: Path) -> None:
    """An archive without a GGUF is told."""
    path = write_llamafile(tmp_path / "a.llamafile", {"a.bin": weights})
    with pytest.raises(SourceError, match="is an archive without a GGUF file"):
        Llamafile(path).resolve()


def test_a_compressed_model(tmp_path: Path, weights: Path) -> None:
    """It cannot be used where it lies; the hint says how to take it out."""
    path = write_llamafile(tmp_path / "a.zip", {"a.gguf": weights}, compressed=True)
    with pytest.raises(SourceError, match=r"a\.gguf inside .* is compressed") as caught:
        Llamafile(path).resolve()
    assert f"`unzip {path} a.gguf`" in caught.value.hint


def test_damage(tmp_path: Path, weights: Path) -> None:
    """A header that was overwritten, a model cut short before it was packed, and no zip at all."""
    path = write_llamafile(tmp_path / "a.llamafile", {"a.gguf": weights})
    offset = Llamafile(path).fetch().files[0].data.offset
    data = path.read_bytes()
    path.write_bytes(data.replace(b"PK\x03\x04", b"PK\x03\x05"))
    with pytest.raises(SourceError, match=r"a\.gguf inside .* is damaged"):
        Llamafile(path).resolve()
    path.write_bytes(data[: offset - 4])
    with pytest.raises(SourceError, match="cannot be read as a zip"):
        Llamafile(path).resolve()
    (tmp_path / "cut.gguf").write_bytes(weights.read_bytes()[:-100])
    path = write_llamafile(tmp_path / "b.llamafile", {"cut.gguf": tmp_path / "cut.gguf"})
    with pytest.raises(DamagedFileError, match=r"cut\.gguf inside .* is cut short"):
        read_header(Llamafile(path).fetch().files[0].data)


def test_past_four_gibibytes(tmp_path: Path, weights: Path) -> None:
    """A model that lies far back is found through ZIP64."""
    path = tmp_path / "large.llamafile"
    with path.open("wb") as file:
        # One hole takes no room on the disk.
        file.truncate(4 << 30)
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(weights, "a.gguf")
    data = Llamafile(path).fetch().files[0].data
    assert data.offset > 4 << 30
    assert read_header(data) == read_header(weights)


def test_arguments_that_are_no_text(tmp_path: Path, weights: Path) -> None:
    """They do no harm."""
    path = tmp_path / "a.llamafile"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(weights, "a.gguf")
        archive.writestr(".args", bytes(range(128, 256)))
    assert Llamafile(path).fetch().settings == {}
