"""Models in hub repositories, with the real client library and a small hub."""

import hashlib
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from builder.errors import SourceError
from builder.sources.card import Card
from builder.sources.hub import HubModel
from tests.builder.fake_hub import COMMIT, OLD_COMMIT, FakeHub, Repository

NAME = "acme/Tiny-GGUF"


@pytest.mark.usefixtures("repository")
def test_resolve_downloads_nothing(hub: FakeHub) -> None:
    """The commit, the file and its size are known after one question."""
    resolved = HubModel(NAME).resolve()
    assert resolved.label == f"hf:{NAME}@{COMMIT[:12]}:Tiny-Q4_K_M.gguf"
    assert resolved.file_name == "Tiny-Q4_K_M.gguf"
    assert resolved.size_bytes > 0
    assert hub.requests == [f"GET /api/models/{NAME}"]


def test_fetch(repository: Repository) -> None:
    """The model lies in the hub's cache with its commit, digest, licence and licence text."""
    fetched = HubModel(NAME).fetch()
    (file,) = fetched.files
    data = repository.files["Tiny-Q4_K_M.gguf"]
    assert file.path.read_bytes() == data
    assert file.path.is_relative_to(constants.HF_HUB_CACHE)
    assert file.name == "Tiny-Q4_K_M.gguf"
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert (fetched.origin.kind, fetched.origin.repository) == ("hf", NAME)
    assert fetched.origin.revision == COMMIT
    assert [(licence.name, licence.text) for licence in fetched.licences] == [
        ("LICENSE", b"Do as you like.\n")
    ]
    assert fetched.card.license_id == "apache-2.0"


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("revision", "commit"), [("", COMMIT), ("main", COMMIT), ("v1", OLD_COMMIT), (COMMIT, COMMIT)]
)
def test_every_revision_becomes_a_commit(revision: str, commit: str) -> None:
    """Branches and tags are pinned to the commit they stand for."""
    assert HubModel(NAME, revision).fetch().origin.revision == commit


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("q8_0", ["Tiny-Q8_0.gguf"]),
        ("Tiny-Q8_0.gguf", ["Tiny-Q8_0.gguf"]),
        ("f32", [f"Tiny-F32-0000{number}-of-00003.gguf" for number in (1, 2, 3)]),
        ("F32/Tiny-F32-00002-of-00003.gguf",
         [f"Tiny-F32-0000{number}-of-00003.gguf" for number in (1, 2, 3)]),
    ],
)  # fmt: skip
def test_what_is_wanted_is_fetched(wanted: str, names: list[str]) -> None:
    """A quantization in any case, a file, or a part of a split model leads to all its files."""
    fetched = HubModel(NAME, wanted=wanted).fetch()
    assert [file.name for file in fetched.files] == names
    assert all(file.path.is_file() for file in fetched.files)


@pytest.mark.usefixtures("repository")
def test_a_missing_quantization_lists_what_there_is() -> None:
    """What is not there is answered with what is."""
    with pytest.raises(SourceError, match=f"hf:{NAME} holds no Q2_K") as caught:
        HubModel(NAME, wanted="Q2_K").resolve()
    assert caught.value.hint == "There are F32, Q4_K_M, Q8_0."


def test_a_repository_without_gguf(hub: FakeHub) -> None:
    """A repository in another format is told."""
    hub.repositories["acme/Tiny"] = Repository({"model.safetensors": b"x"})
    with pytest.raises(SourceError, match="hf:acme/Tiny holds no GGUF file"):
        HubModel("acme/Tiny").resolve()


@pytest.mark.usefixtures("repository")
def test_a_missing_repository() -> None:
    """The hub does not tell missing from private ones, and neither can we."""
    with pytest.raises(SourceError, match="has no repository acme/None, or it is private"):
        HubModel("acme/None").resolve()


@pytest.mark.usefixtures("repository")
def test_a_missing_revision() -> None:
    """A revision that is not there is named."""
    with pytest.raises(SourceError, match=f"{NAME} has no revision v9"):
        HubModel(NAME, "v9").resolve()


def test_a_gated_repository(repository: Repository) -> None:
    """A gated repository says what to do."""
    repository.token, repository.is_gated = "secret", True
    with pytest.raises(SourceError, match="only to people who accepted its terms") as caught:
        HubModel(NAME).resolve()
    assert "HF_TOKEN" in caught.value.hint


def test_a_token_opens_a_private_repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token in HF_TOKEN is shown for questions and for files."""
    repository.token = "secret"
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert HubModel(NAME).fetch().files[0].path.is_file()


def test_something_else_at_the_hubs_address(hub: FakeHub) -> None:
    """A page that wants a login first, as some networks send, is no answer of the hub."""
    hub.status = 200
    with pytest.raises(SourceError, match=f"What answered for {NAME} is not the hub"):
        HubModel(NAME).resolve()


def test_no_network(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub nobody answers at is told at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", nobody)
    with pytest.raises(SourceError, match=f"The hub at {nobody} is not reachable") as caught:
        HubModel(NAME).resolve()
    assert "GGUF file on this machine" in caught.value.hint
    assert hub.requests == []


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("wanted", ["", "Q4_K_M", "Tiny-Q4_K_M.gguf"])
@pytest.mark.parametrize("revision", ["", "v1", OLD_COMMIT])
def test_offline_from_the_cache(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, wanted: str, revision: str
) -> None:
    """What was fetched once is found again without a network."""
    first = HubModel(NAME, revision, wanted).fetch()
    asked = len(hub.requests)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    again = HubModel(NAME, revision, wanted).fetch()
    assert again.files == first.files
    assert again.origin == first.origin
    assert again.licences == first.licences
    assert len(hub.requests) == asked


@pytest.mark.usefixtures("repository")
def test_offline_what_is_not_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, a quantization that was never fetched is told as missing."""
    HubModel(NAME).fetch()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SourceError, match="holds no Q8_0"):
        HubModel(NAME, wanted="Q8_0").fetch()


@pytest.mark.usefixtures("repository")
def test_an_exact_file_in_the_cache_asks_nobody(hub: FakeHub) -> None:
    """A file of a certain commit cannot have changed."""
    model = HubModel(NAME, COMMIT, "F32/Tiny-F32-00001-of-00003.gguf")
    assert not model.is_cached
    model.fetch()
    asked = len(hub.requests)
    again = HubModel(NAME, COMMIT, "F32/Tiny-F32-00001-of-00003.gguf")
    assert again.is_cached
    assert len(again.fetch().files) == 3
    assert len(hub.requests) == asked


def test_a_program_of_its_own(hub: FakeHub, repository: Repository, tmp_path: Path) -> None:
    """HF_ENDPOINT and HF_HUB_CACHE decide, and the hub is asked for nothing but the model."""
    script = (
        "from builder.sources.parse import parse_source\n"
        f"print(parse_source({NAME!r}).fetch().files[0].path)"
    )
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "other")}
    output = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
    path = Path(output.strip())
    assert path.is_relative_to(tmp_path / "other")
    assert path.read_bytes() == repository.files["Tiny-Q4_K_M.gguf"]
    assert all(NAME in request for request in hub.requests)


def test_its_projector(hub: FakeHub, repository: Repository) -> None:
    """It is found by itself, fetched when it is wanted, and can be named."""
    asked = len(hub.requests)
    projector = HubModel(NAME).fetch().projector
    assert projector is not None
    assert not any("mmproj" in request for request in hub.requests[asked:])
    name = "mmproj-Tiny-F16.gguf"
    assert projector.resolve().label == f"hf:{NAME}@{COMMIT[:12]}:{name}"
    questions = sum("/api/" in request for request in hub.requests)
    fetched = projector.fetch()
    assert sum("/api/" in request for request in hub.requests) == questions
    assert fetched.files[0].path.read_bytes() == repository.files[name]
    assert fetched.projector is None
    assert HubModel(NAME, wanted=name).fetch().files == fetched.files


def test_an_exact_file_keeps_its_projector(hub: FakeHub, repository: Repository) -> None:
    """What was left out before is still known, although nobody is asked."""
    model = HubModel(NAME, COMMIT, "Tiny-Q4_K_M.gguf")
    model.fetch()
    asked = len(hub.requests)
    again = HubModel(NAME, COMMIT, "Tiny-Q4_K_M.gguf").fetch()
    assert len(hub.requests) == asked
    assert again.projector is not None
    assert again.card == model.fetch().card
    assert (
        again.projector.fetch().files[0].path.read_bytes()
        == (repository.files["mmproj-Tiny-F16.gguf"])
    )


def test_its_card(repository: Repository) -> None:
    """It comes with the model; licence and base models are known before."""
    text = b"---\nlicense: other\nlicense_name: tiny\nbase_model: acme/Base\n---\n# Tiny\n"
    repository.files["README.md"] = text
    repository.tags = []
    repository.card = {"license": "other", "license_name": "tiny", "base_model": "acme/Base"}
    model = HubModel(NAME)
    told = Card(license_name="tiny", base_model=["acme/Base"])
    assert model.resolve().card == replace(told, text=b"")
    assert model.fetch().card == replace(told, text=text)


@pytest.mark.parametrize(
    ("gated", "whom"),
    [
        ("auto", "only to people who accepted its terms; they"),
        ("manual", "its owners let in; they"),
    ],
)
def test_a_gated_repository_that_opens(
    hub: FakeHub, repository: Repository, monkeypatch: pytest.MonkeyPatch, gated: str, whom: str
) -> None:
    """What is to be accepted is said before anything is fetched, and the origin tells of it."""
    repository.gated, repository.token = gated, "secret"
    (note,) = HubModel(NAME).resolve().notes
    assert whom in note
    with pytest.raises(SourceError, match="only to people who accepted its terms"):
        HubModel(NAME).fetch()
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert HubModel(NAME).fetch().origin.gated == gated


def test_a_licence_called_other_is_none(hub: FakeHub, repository: Repository) -> None:
    """`other` on a card names no licence."""
    hub.repositories[NAME] = Repository(repository.files, tags=["license:other"])
    assert HubModel(NAME).fetch().card.license_id == ""
