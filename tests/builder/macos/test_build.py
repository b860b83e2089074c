"""`build` with an app: what the recipe says of it, and what is told at the end."""

import json
import plistlib
from pathlib import Path

import pytest

from builder import make
from builder.__main__ import run
from builder.kit.kit import Kit
from runtime.verify import verify
from tests.builder.tiny_gguf import write_gguf


def test_an_app_beside_a_solofile(
    intel_kit: Kit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It has the page's title; the report names what was made."""
    monkeypatch.setattr(make, "ensure_kit", lambda *_, **__: intel_kit)
    monkeypatch.chdir(tmp_path)
    write_gguf(tmp_path / "Tiny.F32.gguf")
    (tmp_path / "chat.toml").write_text(
        'source = "Tiny.F32.gguf"\noutput = "model"\ntargets = ["macos-x86_64"]\napp = true\n'
        '[branding]\ntitle = "Ahoy"\n',
        encoding="utf-8",
    )
    assert run(["build", "chat.toml", "--json", "--app-id", "org.example.ahoy"]) == 0
    (report,) = json.loads(capfd.readouterr().out)
    path = report["path"]
    assert report["app_files"] == [f"{path}.app", f"{path}.app.zip", f"{path}.command"]
    assert all(Path(name).exists() for name in report["app_files"])
    info = plistlib.loads(Path(f"{path}.app", "Contents", "Info.plist").read_bytes())
    assert (info["CFBundleName"], info["CFBundleIdentifier"]) == ("Ahoy", "org.example.ahoy")
    assert verify(Path(path)) == []
    assert run(["build", "chat.toml"]) == 0
    assert f"For Finder:       {path}.app\n" in capfd.readouterr().out
