"""What a vendored folder's manifest says, and what is found missing, damaged or for others."""

import json
from pathlib import Path

import pytest

from builder.vendor.folder import (
    MANIFEST_NAME,
    VARIABLE,
    offline_folder,
    own_python,
    own_system,
    pip_environment,
    read_folder,
)
from runtime.errors import DamagedFileError, UnsupportedError, UsageError
from tests.builder.vendored import go_offline, write_vendored


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with wheels and a source."""
    wheels = {
        "tiny_model-1.0-py3-none-any.whl": b"one",
        "tiny_model-1.0.1-py3-none-any.whl": b"two",
        "torch-2.13.0+cpu-cp311-none-any.whl": b"three",
    }
    sources = {"llama_cpp_python-0.3.36.tar.gz": b"four"}
    return write_vendored(tmp_path / "vendored", {"builder": wheels, "sources": sources})


def alter(folder: Path, **facts: object) -> None:
    """Change what a manifest says."""
    path = folder / MANIFEST_NAME
    path.write_text(json.dumps(json.loads(path.read_bytes()) | facts), encoding="utf-8")


def test_read_again(folder: Path) -> None:
    """The manifest tells what it is for and what it holds."""
    found = read_folder(folder)
    assert (found.python, found.system) == (own_python(), own_system())
    assert found.parts["builder"].size == len(b"onetwothree")
    found.require_sound("builder")
    found.require_sound("models")
    found.require_python()


@pytest.mark.parametrize(
    ("part", "requirement", "suffix", "name"),
    [
        ("builder", "Tiny.Model==1.0", ".whl", "tiny_model-1.0-py3-none-any.whl"),
        ("builder", "tiny-model==1.0.1", ".whl", "tiny_model-1.0.1-py3-none-any.whl"),
        ("builder", "tiny-model==1", ".whl", None),
        ("builder", "tiny-model==1.0", ".tar.gz", None),
        ("sources", "llama-cpp-python==0.3.36", ".tar.gz", "llama_cpp_python-0.3.36.tar.gz"),
        ("models", "tiny-model==1.0", ".whl", None),
    ],
)
def test_a_package_by_its_version(
    folder: Path, part: str, requirement: str, suffix: str, name: str | None
) -> None:
    """A package is found by exactly its version, however its name is spelt."""
    found = read_folder(folder).distribution(part, requirement, suffix)
    assert (found and found.name) == name


def test_damage_is_named(folder: Path) -> None:
    """A changed byte, a cut end and a missing file are each told with the file's path."""
    path = folder / "builder" / "tiny_model-1.0-py3-none-any.whl"
    for data in (b"onE", b"on"):
        path.write_bytes(data)
        with pytest.raises(DamagedFileError, match=rf"{path} is damaged\."):
            read_folder(folder).pip_options("builder")
    path.unlink()
    with pytest.raises(DamagedFileError, match=rf"{path} is missing\."):
        read_folder(folder).file("builder", path.name)


@pytest.mark.parametrize("facts", [{"python": "3.9"}, {"system": "win32-amd64"}])
def test_another_python(folder: Path, facts: dict[str, object]) -> None:
    """Wheels for another Python or system are refused, saying for which they are."""
    alter(folder, **facts)
    sentence = f"is for Python .* on .*, and this is Python {own_python()} on {own_system()}"
    with pytest.raises(UnsupportedError, match=sentence) as caught:
        read_folder(folder).pip_options("builder")
    assert str(next(iter(facts.values()))) in caught.value.message


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format_version": 1, "parts": [1]}'])
def test_no_manifest(folder: Path, text: str) -> None:
    """Whatever stands in a manifest, it is one sentence."""
    (folder / MANIFEST_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"vendor\.json is damaged"):
        read_folder(folder)


def test_a_newer_format(folder: Path) -> None:
    """What a newer version made is not guessed at."""
    alter(folder, format_version=2)
    with pytest.raises(UnsupportedError, match="which is newer"):
        read_folder(folder)


def test_which_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable names the folder; without it the network is used."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert offline_folder() is None
    go_offline(folder, monkeypatch)
    assert offline_folder() == read_folder(folder)
    go_offline(tmp_path, monkeypatch)
    with pytest.raises(UsageError, match=r"no vendored folder: it holds no vendor\.json"):
        offline_folder()


def test_pip_is_not_sent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the user's, in a variable or a file, leads pip out of the folder."""
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://elsewhere.invalid")
    given = {name: value for name, value in pip_environment().items() if name.startswith("PIP_")}
    assert given == {"PIP_CONFIG_FILE": "/dev/null"}
