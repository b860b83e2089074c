"""What `info` tells of a solofile."""

import json
from pathlib import Path

import msgspec
import pytest

from runtime.branding import Branding
from runtime.cli import info
from runtime.cli.commands import run
from runtime.container import MANIFEST_NAME, ContainerWriter
from runtime.errors import UsageError
from runtime.manifest import encode
from runtime.sandbox.sandbox import Sandbox
from tests.runtime.test_manifest import MANIFEST


def test_defaults_and_branding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each thing that was built in has a line; what was left open has none."""
    branding = Branding(title="Pirate", examples=("Ahoy?", "Where is the treasure?"))
    handbook = "# Handbook\n\n" + "Berth 1 is for small ships.\n" * 100
    manifest = msgspec.structs.replace(
        MANIFEST, branding=branding, defaults={"system_prompt": handbook, "temp": 0.2}
    )
    with (tmp_path / "chat").open("w+b") as file:
        writer = ContainerWriter(file)
        writer.add_bytes("tiny.gguf", b"GGUF")
        writer.add_bytes(MANIFEST_NAME, encode(manifest))
        writer.finish()
    assert run(["info", str(tmp_path / "chat")]) == 0
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert ["default", "temp", "0.2"] in lines
    (prompt,) = [line[2] for line in lines if line[:2] == ["default", "system-prompt"]]
    assert prompt.startswith("# Handbook Berth 1 is for small ships. Berth 1")
    assert prompt.endswith("... (2,612 characters more)")
    assert [line[1:] for line in lines if line[0] == "page"] == [
        ["title", "Pirate"], ["examples", "Ahoy?"], ["examples", "Where is the treasure?"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (Sandbox("on", "on", "on"), "files, network, programs"),
        (Sandbox("off: no Landlock", "on", "on"), "network, programs; files off: no Landlock"),
    ],
)
def test_what_the_system_has_of_the_sandbox(
    solofile: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: Sandbox,
    line: str,
) -> None:
    """The parts that a server would have here, and why not the others."""
    monkeypatch.setattr(info, "possible_here", lambda: found)
    assert run(["info", str(solofile)]) == 0
    assert f"sandbox here     {line}\n" in capsys.readouterr().out


def test_cpu(binding: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The code that runs on this processor is told, for people and for programs."""
    assert run(["info", "--cpu"]) == 0
    used = capsys.readouterr().out.splitlines()[0].split()[1]
    assert run(["info", "--cpu", "--json"]) == 0
    variants = json.loads(capsys.readouterr().out)
    assert [variant["name"] for variant in variants if variant["is_used"]] == [used]


def test_cpu_of_another_solofile() -> None:
    """A file has no processor."""
    with pytest.raises(UsageError, match="not allowed with argument"):
        run(["info", "--cpu", "other"])
