"""A recipe with the real model, up to the solofiles it makes."""

import json
from pathlib import Path

import pytest

from builder.__main__ import run
from tests.solofile import run_solofile
from tests.tiny_icon import SVG

RECIPE = """
source = "{source}"
allow-requantize = true
system = "@pirate.txt"
[settings]
temp = 0
[branding]
title = "Pirate"
examples = ["Where is the treasure?"]
icon = "leaf.svg"
[[model]]
name = "Pirate"
[[model]]
name = "Pirate-small"
quantize = "Q2_K"
settings.predict = 8
"""


def test_two_models(gguf: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each was asked a question, carries what the recipe says, and answers by it."""
    (tmp_path / "pirate.toml").write_text(RECIPE.format(source=gguf), encoding="utf-8")
    (tmp_path / "pirate.txt").write_text("You are a pirate.\n", encoding="utf-8")
    (tmp_path / "leaf.svg").write_bytes(SVG)
    assert run(["build", str(tmp_path / "pirate.toml"), "--json"]) == 0
    whole, small = json.loads(capfd.readouterr().out)
    assert whole["answer"]
    assert small["quantization"] == "Q2_K"
    assert small["size"] < whole["size"]
    manifest = json.loads(run_solofile(Path(small["path"]), "info", "--json").stdout)
    assert manifest["defaults"] == {"predict": 8, "system_prompt": "You are a pirate.", "temp": 0.0}
    assert manifest["branding"]["title"] == "Pirate"
    assert run_solofile(Path(small["path"]), "verify").returncode == 0
    answers = {run_solofile(Path(small["path"]), "run", "Who are you?").stdout for _ in range(2)}
    assert len(answers) == 1
    assert 0 < len(answers.pop().split()) <= 9
