"""What is said of licences before anything is packed."""

from pathlib import Path

import pytest

from builder import make
from builder.__main__ import run
from builder.errors import LicenceError
from builder.kit.kit import Kit
from builder.sources.card import Card
from builder.sources.source import LicenceFile
from builder.terms import find_terms, sentences
from runtime.container import Container
from runtime.manifest import Terms, read_manifest
from tests.builder.tiny_gguf import write_gguf

TEXT = [LicenceFile("LICENSE", b"Do as you like.\n")]
NVIDIA = "nvidia-internal-scientific-research-and-development-model-license"


def kinds(terms: list[Terms]) -> list[tuple[str, str]]:
    """Return names and kinds."""
    return [(one.license, one.passing_on) for one in terms]


def test_all_that_is_told_counts() -> None:
    """Where header and card differ, both are told; a licence is told once."""
    cards = [Card(license_id=one) for one in ("MIT OR apache-2.0", "llama3.2", "mit")]
    assert kinds(find_terms(cards, TEXT)) == [
        ("MIT", "allowed"), ("apache-2.0", "allowed"), ("llama3.2", "conditions"),
    ]  # fmt: skip


def test_a_text_without_a_name() -> None:
    """It tells where nothing else does."""
    text = LicenceFile("LICENSE", b"LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\n")
    assert kinds(find_terms([Card()], [text])) == [("llama3.1", "conditions")]


def test_what_is_not_known() -> None:
    """No licence, and one that is not in the table, get a sentence each."""
    (nothing,) = find_terms([Card()], TEXT, of="small.gguf")
    assert sentences([nothing]) == [
        "No licence of small.gguf is named, so nothing says whether it may be passed on."
    ]
    (odd,) = find_terms([Card(license_name="odd", license_link="https://odd.example")], TEXT)
    assert "odd is not known here; read it (https://odd.example) before" in odd.sentence
    assert (nothing.passing_on, odd.passing_on) == ("unknown", "unknown")


def test_a_missing_text() -> None:
    """A licence that wants its text passed on says that the text is missing."""
    assert "did not come" not in find_terms([Card(license_id="gemma")], TEXT)[0].sentence
    assert "did not come" in find_terms([Card(license_id="gemma")], [])[0].sentence


def test_what_is_allowed_needs_no_words() -> None:
    """It is in the manifest only."""
    assert sentences(find_terms([Card(license_id="mit")], TEXT)) == []


@pytest.fixture
def build(tmp_path: Path, tiny_kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which builds need no llama.cpp."""
    monkeypatch.setattr(make, "ensure_kit", lambda target, **options: tiny_kit)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_passing_on_is_forbidden(build: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is made until that is accepted; then the solofile says it, too."""
    path = write_gguf(
        build / "Tiny.gguf",
        metadata={"general.license": "other", "general.license.name": NVIDIA},
    )
    assert run(["build", str(path), "-o", "out"]) == LicenceError.exit_code
    told = capfd.readouterr().err
    assert "does not allow to distribute the model" in told
    assert "--accept-license" in told
    assert not Path("out").exists()
    assert run(["build", str(path), "-o", "out", "--accept-license"]) == 0
    assert "Licence:          NVIDIA Internal Scientific" in capfd.readouterr().out
    with Container.open(Path("out")) as container:
        manifest = read_manifest(container)
    assert kinds(manifest.terms) == [(NVIDIA, "forbidden")]
    assert (manifest.model.license, manifest.model.license_name) == ("", NVIDIA)


def test_conditions_are_said_before_packing(build: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """They stand in front of the first thing that is written."""
    path = write_gguf(build / "Tiny.gguf", metadata={"general.license": "llama3.2"})
    draft = write_gguf(build / "small.gguf", metadata={"general.license": "cc-by-nc-4.0"})
    assert run(["build", str(path), "--draft", str(draft), "-o", "out"]) == 0
    told = capfd.readouterr().err
    packing = told.index("Packing")
    assert told.index("Llama 3.2 Community License lets you") < packing
    assert told.index("small.gguf: CC BY-NC 4.0 lets you") < packing
    with Container.open(Path("out")) as container:
        terms = read_manifest(container).terms
    assert [(one.of, one.passing_on) for one in terms] == [
        ("", "conditions"), ("small.gguf", "noncommercial"),
    ]  # fmt: skip
