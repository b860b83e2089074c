"""Whatever a repository tells of a model is in its solofile, and in the one made from that."""

import json
from pathlib import Path

import pytest

from builder import make
from builder.__main__ import run
from builder.kit.kit import Kit
from runtime.cli import commands
from runtime.container import Container
from runtime.errors import UsageError
from runtime.manifest import Manifest, read_manifest
from runtime.verify import verify
from tests.builder.fake_hub import COMMIT, FakeHub, Repository
from tests.builder.tiny_gguf import write_gguf
from tests.tiny_projector import write_tiny_projector

NAME = "acme/Seer-GGUF"
CARD = {"license": "llama3.2", "base_model": "acme/Seer"}
README = b"---\nlicense: llama3.2\nbase_model: acme/Seer\n---\n# Seer\n"


@pytest.fixture
def repository(
    hub: FakeHub, tmp_path: Path, tiny_kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    """A repository with a model that sees, and a folder to build in without llama.cpp."""
    monkeypatch.setattr(make, "ensure_kit", lambda target, **options: tiny_kit)
    monkeypatch.chdir(tmp_path)
    write_tiny_projector(tmp_path / "eyes.gguf", n_embd=48)
    model = write_gguf(tmp_path / "model.gguf", metadata={"llama.embedding_length": 48})
    eyes = (tmp_path / "eyes.gguf").read_bytes()
    files = {
        "README.md": README,
        "LICENSE.txt": b"LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\n",
        "USE_POLICY.md": b"Do no harm.\n",
        "Seer-Q8_0.gguf": model.read_bytes(),
        "mmproj-Seer-F16.gguf": eyes,
        "mmproj-Seer-F32.gguf": eyes,
    }
    hub.repositories[NAME] = Repository(files, card=CARD, gated="auto")
    return hub.repositories[NAME]


def manifest_of(path: str) -> Manifest:
    """Return a solofile's manifest, once it is sound."""
    assert verify(Path(path)) == []
    with Container.open(Path(path)) as container:
        return read_manifest(container)


def names(manifest: Manifest) -> list[str]:
    """Return what it holds besides the runtime."""
    return [entry.name for entry in manifest.entries if entry.role != "runtime"]


@pytest.mark.usefixtures("repository")
def test_all_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    """Card, licences, terms, base model, gate and projector; also from solofile to solofile."""
    assert run(["build", f"hf:{NAME}", "-o", "one", "--json"]) == 0
    told = capfd.readouterr()
    report = json.loads(told.out)
    assert "only to people who accepted its terms" in report["notes"][0]
    assert told.err.index(report["notes"][0]) < told.err.index("Downloading Seer-Q8_0.gguf")
    assert [one["passing_on"] for one in report["terms"]] == ["conditions"]
    assert run(["build", "one", "-o", "two"]) == 0
    one, two = map(manifest_of, ("one", "two"))
    assert names(one) == names(two) == [
        "Seer-Q8_0.gguf", "projector/mmproj-Seer-F16.gguf", "LICENSES/LICENSE.txt",
        "LICENSES/USE_POLICY.md", "card/README.md", "sbom.cdx.json",
    ]  # fmt: skip
    assert (one.model.license, one.model.base_model) == ("llama3.2", ["acme/Seer"])
    assert (one.origin.revision, one.origin.gated) == (COMMIT, "auto")
    assert (one.model, one.origin, one.terms) == (two.model, two.origin, two.terms)
    with Container.open(Path("two")) as container:
        assert container.read("card/README.md") == README


@pytest.mark.usefixtures("repository")
def test_the_solofile_tells_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    """`info` and `licenses` say what is inside."""
    assert run(["build", f"hf:{NAME}", "-o", "out"]) == 0
    capfd.readouterr()
    assert commands.run(["info", "out"]) == 0
    told = capfd.readouterr().out
    assert "licence          llama3.2\n" in told
    assert "terms            Llama 3.2 Community License lets you" in told
    assert "base model       acme/Seer\n" in told
    assert "given to         people who accepted its terms\n" in told
    assert commands.run(["licenses", "out"]) == 0
    told = capfd.readouterr().out
    assert told == (
        "==== LICENSES/LICENSE.txt ====\nLLAMA 3.2 COMMUNITY LICENSE AGREEMENT\n\n"
        "==== LICENSES/USE_POLICY.md ====\nDo no harm.\n\n"
    )


def test_no_licence_to_print(
    repository: Repository, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """That is said, and is no failure."""
    assert run(["build", str(tmp_path / "model.gguf"), "-o", "out"]) == 0
    capfd.readouterr()
    assert commands.run(["licenses", "out"]) == 0
    told = capfd.readouterr()
    assert told.out == ""
    assert "out carries no licence text of its model" in told.err
    with pytest.raises(UsageError, match="There is no file nowhere"):
        commands.run(["licenses", "nowhere"])


@pytest.mark.usefixtures("repository")
def test_without_its_projector(hub: FakeHub, capfd: pytest.CaptureFixture[str]) -> None:
    """It is neither fetched nor embedded."""
    assert run(["build", f"hf:{NAME}", "-o", "out", "--no-mmproj"]) == 0
    assert manifest_of("out").projector is None
    assert not any("mmproj" in request for request in hub.requests)
    assert run(["build", f"hf:{NAME}", "--no-mmproj", "--mmproj", "eyes.gguf"]) == 2
    assert "mmproj and no-mmproj exclude each other" in capfd.readouterr().err


def test_a_projector_of_no_use(repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
    """It is left out with a sentence, and the model goes on without."""
    repository.files["mmproj-Seer-F16.gguf"] = repository.files["Seer-Q8_0.gguf"]
    assert run(["build", f"hf:{NAME}", "-o", "out"]) == 0
    assert "is no projector. It is left out." in capfd.readouterr().err
    assert manifest_of("out").projector is None


def test_what_must_not_be_passed_on_is_not_fetched(
    hub: FakeHub, repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the hub tells of it is enough to ask first."""
    name = "nvidia-internal-scientific-research-and-development-model-license"
    repository.card = {"license": "other", "license_name": name}
    assert run(["build", f"hf:{NAME}", "-o", "out"]) == 8
    assert "does not allow to distribute the model" in capfd.readouterr().err
    assert not any("/resolve/" in request for request in hub.requests)
