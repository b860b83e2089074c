"""`init`, and a recipe from its beginning to a solofile."""

import io
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from builder import make
from builder.__main__ import run
from builder.demo import HUB_REPOSITORY, SYSTEM_PROMPT
from builder.kit.kit import Kit
from builder.recipe.schema import FILE_NAME, SHIPPED
from tests.builder.tiny_gguf import write_gguf


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and nobody to ask."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def recipe(path: str = "solofile.toml") -> dict[str, object]:
    """Return what a recipe says."""
    return tomllib.loads(Path(path).read_text(encoding="utf-8"))


def test_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    """It takes a small model that works, and its schema lies beside it."""
    assert run(["init"], program="build.py") == 0
    told = "solofile.toml is written. Build it with: python3 build.py build solofile.toml\n"
    assert capsys.readouterr().out == told
    assert str(recipe()["source"]).startswith(f"hf:{HUB_REPOSITORY}:")
    assert recipe()["system"] == SYSTEM_PROMPT
    first = Path("solofile.toml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"#:schema ./{FILE_NAME}"
    assert Path(FILE_NAME).read_bytes() == SHIPPED.read_bytes()


def test_it_is_built(tiny_kit: Kit, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to a model is told from where the recipe lies, and leads there."""
    monkeypatch.setattr(make, "ensure_kit", lambda target, **options: tiny_kit)
    Path("models").mkdir()
    Path("recipes").mkdir()
    write_gguf(Path("models/Tiny.F32.gguf"))
    assert run(["init", "models/Tiny.F32.gguf", "-o", "recipes/tiny.toml"]) == 0
    assert recipe("recipes/tiny.toml")["source"] == "../models/Tiny.F32.gguf"
    assert "system" not in recipe("recipes/tiny.toml")
    assert run(["build", "recipes/tiny.toml"]) == 0
    assert Path("recipes/dist/Tiny-F32").is_file()


def test_one_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """It is replaced only if that is wanted."""
    Path("solofile.toml").write_text("mine", encoding="utf-8")
    assert run(["init", "acme/tiny"]) == 2
    told = "Error: solofile.toml is there already.\nName another file, or add --force.\n"
    assert capsys.readouterr().err == told
    assert [path.name for path in Path().iterdir()] == ["solofile.toml"]
    assert run(["init", "acme/tiny", "--force"]) == 0
    assert recipe()["source"] == "hf:acme/tiny"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["gone.gguf"], 6, "There is no file gone.gguf."),
        (["acme/tiny", "-o", "chat"], 2, "chat is no name for a recipe."),
        (["hf:tiny"], 6, "hf:tiny does not name a hub repository."),
        (["acme/tiny", "-o", "gone/chat.toml"], 5, ""),
    ],
)
def test_what_is_no_beginning(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, told: str
) -> None:
    """Nothing is written."""
    assert run(["init", *arguments]) == code
    assert capsys.readouterr().err.startswith(f"Error: {told}")
    assert not list(Path().iterdir())


def test_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed as it is shipped, and nothing is written."""
    assert run(["init", "--schema"]) == 0
    assert capsys.readouterr().out == SHIPPED.read_text(encoding="utf-8")
    assert not list(Path().iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal() -> None:
    """It asks for the model and the system prompt; Ctrl-D leaves nothing behind."""
    import pty

    command = [sys.executable, "-m", "builder", "init"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    for typed in ("\x04", "acme/tiny\nYou are a pirate.\n"):
        assert not Path("solofile.toml").exists()
        controller, terminal = pty.openpty()
        process = subprocess.Popen(
            command, stdin=terminal, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environment,
        )  # fmt: skip
        os.write(controller, typed.encode())
        _, asked = process.communicate(timeout=60)
        os.close(controller)
        os.close(terminal)
        assert b"Model [hf:" in asked
    assert recipe()["source"] == "hf:acme/tiny"
    assert recipe()["system"] == "You are a pirate."
