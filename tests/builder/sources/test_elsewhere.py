"""A plain name, found in the places of other programs."""

from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.sources.elsewhere import lies_elsewhere
from builder.sources.parse import parse_source
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_ollama import TinyOllama


@pytest.fixture
def places(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same model with each of three programs."""
    folder = own_home / ".ollama/models"
    folder.mkdir(parents=True)
    path = write_gguf(own_home / "x")
    TinyOllama(folder).add("registry.ollama.ai/library/tiny/1b", [("model", path)])
    (own_home / ".lmstudio/models/acme/tiny").mkdir(parents=True)
    write_gguf(own_home / ".lmstudio/models/acme/tiny/tiny.gguf")
    (own_home / ".cache/llama.cpp").mkdir(parents=True)
    write_gguf(own_home / ".cache/llama.cpp/tiny.gguf")
    monkeypatch.setattr("sys.platform", "linux")


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tiny:1b", ["ollama:tiny:1b"]),
        ("Tiny", ["lmstudio:acme/tiny"]),
        ("tiny.gguf", ["lmstudio:acme/tiny:tiny.gguf", "llamacpp:tiny.gguf"]),
        ("other", []),
        ("", []),
    ],
)
def test_where_it_lies(text: str, found: list[str]) -> None:
    """Each is told as one would write it, and can be read so."""
    assert lies_elsewhere(text) == found
    for source in found:
        assert parse_source(source).fetch().files
    if found:
        with pytest.raises(SourceError) as caught:
            parse_source(text)
        assert caught.value.hint == f"There is {' or '.join(found)}."
