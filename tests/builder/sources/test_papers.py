"""Licences and cards that lie beside models."""

from pathlib import Path

import pytest

from builder.sources.papers import is_licence, papers_beside

CARD = b"---\nlicense: mit\n---\n# Tiny\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one model in two quantizations, its projector, its card and its licence."""
    for name in ("Tiny-Q4_K_M.gguf", "Tiny-F16.gguf", "mmproj-F16.gguf"):
        (tmp_path / name).touch()
    (tmp_path / "README.md").write_bytes(CARD)
    (tmp_path / "LICENSE").write_text("Do as you like.", encoding="utf-8")
    (tmp_path / "license_check.py").touch()
    return tmp_path


def test_a_folder_of_one_model(folder: Path) -> None:
    """Its card and all licences in it are the model's."""
    papers = papers_beside(folder, "Tiny-F16.gguf")
    assert (papers.card.text, papers.card.license_id) == (CARD, "mit")
    assert [(one.name, one.text) for one in papers.licences] == [("LICENSE", b"Do as you like.")]


@pytest.mark.parametrize("change", ["another model", "another readme", "large"])
def test_a_folder_of_other_things(folder: Path, change: str) -> None:
    """What may be about something else is left where it is."""
    if change == "another model":
        (folder / "Large-F16.gguf").touch()
    elif change == "another readme":
        (folder / "README.md").write_text("# My downloads\n", encoding="utf-8")
    else:
        (folder / "README.md").write_bytes(CARD + bytes(1 << 20))
    (folder / "Tiny-F16.LICENSE").write_text("Its own.", encoding="utf-8")
    papers = papers_beside(folder, "Tiny-F16.gguf")
    assert papers.card.text == b""
    assert [one.name for one in papers.licences] == ["Tiny-F16.LICENSE"]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("LICENSE", True), ("licence.txt", True), ("LICENSE-MODEL", True), ("NOTICE.md", True),
        ("USE_POLICY.md", True), ("LICENSE_GEMMA.md", True), ("LICENSE-APACHE-2.0", True),
        ("COPYING", True), ("licensed.txt", False), ("license.json", False), ("README.md", False),
    ],
)  # fmt: skip
def test_names(name: str, is_one: bool) -> None:
    """Licences are known by their names."""
    assert is_licence(name) == is_one
