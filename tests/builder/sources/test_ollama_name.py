"""What Ollama calls models."""

import pytest

from builder.errors import SourceError
from builder.sources.ollama_name import parse_name


@pytest.mark.parametrize(
    ("text", "path", "shown"),
    [
        ("llama3.2", "registry.ollama.ai/library/llama3.2/latest", "llama3.2:latest"),
        ("llama3.2:3b", "registry.ollama.ai/library/llama3.2/3b", "llama3.2:3b"),
        ("me/mine:v1", "registry.ollama.ai/me/mine/v1", "me/mine:v1"),
        ("hf.co/a/B-GGUF:Q4_0", "hf.co/a/B-GGUF/Q4_0", "hf.co/a/B-GGUF:Q4_0"),
        ("localhost:5000/a/b", "localhost:5000/a/b/latest", "localhost:5000/a/b:latest"),
    ],
)
def test_names(text: str, path: str, shown: str) -> None:
    """Host, namespace and tag are filled in, and left out again where they go without saying."""
    name = parse_name(text)
    assert name.path.as_posix() == path
    assert str(name) == shown


@pytest.mark.parametrize("text", ["", "a:", ":a", "a:b:c", "../../x", "a/../b:c", "/a", "w/x/y/z"])
def test_no_names(text: str) -> None:
    """What could lead out of the store is no name either."""
    with pytest.raises(SourceError, match="names no model"):
        parse_name(text)


def test_its_file() -> None:
    """A file would be called after model and tag."""
    assert parse_name("me/mine").file_stem == "mine"
    assert parse_name("mine:3b").file_stem == "mine-3b"
