"""Models that llama.cpp's tools downloaded."""

import hashlib
from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.sources.llamacpp_cache import LlamaCppModel
from tests.builder.tiny_gguf import write_gguf

COMMIT = "0123456789" * 4


def add_snapshot(cache: Path, *, commit: str = COMMIT, ref: str = "main") -> Path:
    """Put acme/Tiny into a cache of the hub's kind, and return the blob."""
    folder = cache / "models--acme--Tiny"
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / ref).write_text(commit, encoding="utf-8")
    path = write_gguf(folder / f"{ref}.tmp")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "blobs").mkdir(exist_ok=True)
    blob = path.rename(folder / "blobs" / digest)
    (snapshot / "Tiny-Q8_0.gguf").symlink_to(blob)
    return blob


@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        ("", ".cache/huggingface/hub"),
        ("LLAMA_CACHE", "x"),
        ("HF_HUB_CACHE", "x"),
        ("HF_HOME", "x/hub"),
        ("XDG_CACHE_HOME", "x/huggingface/hub"),
    ],
)
def test_repositories(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, folder: str
) -> None:
    """They lie where llama.cpp looks; the commit and the digest are known."""
    if variable:
        monkeypatch.setenv(variable, str(own_home / "x"))
    blob = add_snapshot(own_home / folder)
    fetched = LlamaCppModel("acme/Tiny", "Q8_0").fetch()
    assert fetched.files[0].path.samefile(blob)
    assert fetched.files[0].sha256 == blob.name
    assert (fetched.origin.repository, fetched.origin.revision) == ("acme/Tiny", COMMIT)


def test_the_branch(own_home: Path) -> None:
    """`main` comes first, and any other where there is none."""
    cache = own_home / ".cache/huggingface/hub"
    add_snapshot(cache, commit="a" * 40, ref="dev")
    assert LlamaCppModel("acme/Tiny").fetch().origin.revision == "a" * 40
    add_snapshot(cache)
    assert LlamaCppModel("acme/Tiny").fetch().origin.revision == COMMIT


def test_the_older_cache(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files lie side by side under their repositories' names, or just their own."""
    monkeypatch.setenv("LLAMA_CACHE", str(own_home))
    path = write_gguf(own_home / "acme_Tiny_Tiny-Q8_0.gguf")
    write_gguf(own_home / "acme_Tiny_Tiny-Q4_0.gguf")
    single = write_gguf(own_home / "single.gguf")
    assert LlamaCppModel("acme/Tiny", "Q8_0").fetch().files[0].path == path
    assert LlamaCppModel("acme/Tiny", "Q8_0").resolve().file_name == "Tiny-Q8_0.gguf"
    assert LlamaCppModel("single.gguf").fetch().files[0].path == single


def test_what_is_not_there(own_home: Path) -> None:
    """What the caches hold is told, or where they are and how to fetch it."""
    with pytest.raises(SourceError, match=r"llama\.cpp's caches hold no acme/Tiny") as caught:
        LlamaCppModel("acme/Tiny").resolve()
    assert f"Looked in {own_home}" in caught.value.hint
    assert "hf:acme/Tiny fetches it" in caught.value.hint
    add_snapshot(own_home / ".cache/huggingface/hub")
    with pytest.raises(SourceError, match="hold no acme/Tin") as caught:
        LlamaCppModel("acme/Tin").resolve()
    assert caught.value.hint == "They hold acme/Tiny."
