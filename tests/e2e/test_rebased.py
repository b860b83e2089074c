"""A real solofile gets another prompt, baked again, while its weights stay where they are."""

import json
import shutil
import urllib.request
from pathlib import Path

import msgspec
import pytest

from builder.__main__ import run
from builder.bake.prompt import BakeOptions
from builder.demo import demo_source
from builder.make import Order, make_solofile
from builder.report import Report
from builder.targets import host_target
from runtime.errors import UsageError
from tests.solofile import ServedSolofile

OLD = "You answer for the harbour office. Ships dock from six to nine, and pay at gate two. " * 5
NEW = "You answer for the town library. It opens at ten, and lends books for four weeks. " * 6


def baked(path: Path, system: str) -> Report:
    """Build the demo's model with a baked prompt."""
    order = Order(
        source=demo_source(),
        target=host_target(),
        output=path,
        defaults={"system_prompt": system, "ctx_size": 2048},
        is_smoke_tested=False,
        bake=BakeOptions(has_system=True),
    )
    return make_solofile(order)


def test_another_prompt_is_baked_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The file is the one that a build makes; little of it was written, and it has the prompt."""
    chat = Path(baked(tmp_path / "chat", OLD).path)
    (tmp_path / "prompt.txt").write_text(NEW, encoding="utf-8")
    capfd.readouterr()
    assert run(["rebase", str(chat), "--system", f"@{tmp_path / 'prompt.txt'}", "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    built = baked(tmp_path / "expected", NEW)
    assert chat.read_bytes() == Path(built.path).read_bytes()
    assert report["prompts"] == msgspec.to_builtins(built.prompts)
    assert report["changed"] == ["prompts/1.prompt", "sbom.cdx.json", "solofile.json"]
    if report["method"] == "in place":
        assert report["written"] < 10 << 20
    body = {"messages": [{"role": "user", "content": "When do you open?"}], "max_tokens": 4}
    with ServedSolofile(chat, "--port", "0") as server:
        request = urllib.request.Request(
            f"{server.url}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            usage = json.load(response)["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] >= built.prompts[0].tokens
    assert run(["rebase", str(chat), "--set", "temp=0.2", "--no-smoke-test"]) == 0
    assert f"Baked:            {built.prompts[0]}" in capfd.readouterr().out


def test_a_prompt_that_is_too_short(
    solofile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is what was asked for that does not fit, not a tool that failed."""
    chat = tmp_path / "chat"
    command = ["rebase", str(solofile), "--system", "Be kind.", "--bake", "-o", str(chat)]
    assert run(command) == UsageError.exit_code
    assert "'Be kind.' has" in capfd.readouterr().err
    assert not chat.exists()


def test_one_that_runs(solofile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is not changed in place: the weights it has mapped lie in the file."""
    chat = tmp_path / "chat"
    shutil.copy(solofile, chat)
    old = chat.read_bytes()
    with ServedSolofile(chat, "--port", "0"):
        code = run(["rebase", str(chat), "--set", "temp=0.2", "--json"])
        told = capfd.readouterr()
    if code == 0:  # The file that runs is left alone, where another can share its blocks.
        assert json.loads(told.out)["method"] == "cloned"
        return
    assert code == UsageError.exit_code
    assert "runs at this moment" in told.err
    assert chat.read_bytes() == old
