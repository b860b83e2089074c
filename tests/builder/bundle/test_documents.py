"""Readmes and scripts: languages, line ends, and that every bundle has the same scripts."""

from pathlib import Path

import pytest

from builder.bundle.documents import write_readmes, write_scripts
from builder.bundle.member import Member
from builder.bundle.volumes import Part, SplitFile
from builder.targets import TARGETS
from runtime.branding import Branding
from runtime.manifest import KitFacts, LauncherFacts, Manifest, ModelFacts, Origin


def member(target: str, folder: Path) -> Member:
    """Return a solofile for a system, which is not there."""
    manifest = Manifest(
        name="Model",
        model=ModelFacts(
            name="Model", architecture="llama", quantization="F32", n_params=1, n_ctx_train=1
        ),
        origin=Origin(kind="file", files=[]),
        kit=KitFacts(
            target=target, solofile="", python="", llama_cpp="", llama_cpp_commit="",
            llama_cpp_python="", glibc="",
        ),
        launcher=LauncherFacts(size=0, sha256=""),
        entries=[],
        branding=Branding(title="海盗"),
    )  # fmt: skip
    return Member(folder / f"model-{target}", manifest, folder / "model.weights")


@pytest.fixture
def members(tmp_path: Path) -> list[Member]:
    """One for each system."""
    return [member(target, tmp_path) for target in TARGETS]


@pytest.mark.parametrize("has_parts", [True, False])
def test_readmes(members: list[Member], tmp_path: Path, has_parts: bool) -> None:
    """Both name every system's file, the weights once, and how to put parts together."""
    parts = [Part(f"model.weights.{number:03}", "") for number in range(1, 13)]
    splits = [SplitFile("model.weights", 5 << 30, "", parts)] if has_parts else []
    write_readmes(tmp_path, members, splits, None, 5 << 30)
    english = (tmp_path / "README.txt").read_text(encoding="utf-8")
    chinese = (tmp_path / "README.zh.txt").read_text(encoding="utf-8-sig")
    for text in (english, chinese):
        assert text.startswith("海盗\n")
        for one in members:
            assert f"\n{one.path.name} " in text
        assert ("5.4 GB" in text) == has_parts
        assert ("./start.sh" in text) != has_parts
        assert "\n\n\n\n" not in text
        assert max(map(len, text.splitlines())) <= 110
    assert ("model.weights: 12 parts, model.weights.001 to .012\n" in english) == has_parts
    assert ("从 model.weights.001 到 .012\n" in chinese) == has_parts


def test_scripts(members: list[Member], tmp_path: Path) -> None:
    """Shells find plain characters, cmd.exe its own line ends, and Finder a name it knows."""
    write_scripts(tmp_path, members)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"start.sh", "start.command", "install.ps1", "verify.bat"} < names
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        assert data.isascii()
        assert data.count(b"\r\n") == (data.count(b"\n") if path.suffix == ".bat" else 0)
        is_program = bool(path.stat().st_mode & 0o100)
        assert is_program == (path.suffix in (".sh", ".command"))
    starts = [(tmp_path / name).read_bytes() for name in ("start.sh", "start.command")]
    assert starts[0] == starts[1]


def test_no_launcher_for_systems_that_are_not_there(tmp_path: Path) -> None:
    """A bundle for Windows has no script of macOS."""
    write_scripts(tmp_path, [member("windows-x86_64", tmp_path)])
    assert not list(tmp_path.glob("start.*"))
