"""A real solofile in the sandbox: what settings name is read, and what is told of it."""

import os
import shutil
import ssl
from pathlib import Path

import httpx
import pytest

from builder.make import Order, make_solofile
from builder.sources.parse import parse_source
from builder.targets import host_target
from runtime.sandbox.sandbox import possible_here
from tests.certificate import make_certificate
from tests.desktop import required_tool
from tests.solofile import ServedSolofile, run_solofile
from tests.terminal import PROMPT, PseudoTerminal
from tests.tiny_lora import write_tiny_lora

KEY = "k3y"


@pytest.fixture(autouse=True)
def whole_sandbox() -> None:
    """A kernel that has all of it."""
    if missing := possible_here().missing():
        assert not os.environ.get("CI"), missing
        pytest.skip(f"this kernel has not all of it: {missing}")


def _sandbox(served: ServedSolofile, **headers: str) -> dict[str, str]:
    verify = served.tls or True
    answer = httpx.get(f"{served.url}/props", headers=headers, verify=verify, timeout=60)
    told: dict[str, str] = answer.json()["sandbox"]
    return told


def test_all_files_that_settings_name(
    solofile: Path, gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Model, adapter, draft, template, keys and certificate, by paths relative to where one is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.gguf").symlink_to(gguf)
    shutil.copy(gguf, "draft.gguf")
    write_tiny_lora(tmp_path / "adapter.gguf")
    Path("template.jinja").write_text("{{ messages[0].content }}", encoding="utf-8")
    Path("keys").write_text(KEY, encoding="utf-8")
    pair = make_certificate(tmp_path)
    trusted = ssl.create_default_context(cafile=pair.certificate)
    with ServedSolofile(
        solofile, "serve", "--port", "0", "--sandbox", "on", "-m", "model.gguf",
        "--lora", "adapter.gguf", "-md", "draft.gguf", "--chat-template-file", "template.jinja",
        "--api-key-file", "keys", "--ssl-cert-file", pair.certificate.name,
        "--ssl-key-file", pair.key.name,
        tls=trusted,
    ) as served:  # fmt: skip
        assert set(_sandbox(served, Authorization=f"Bearer {KEY}").values()) == {"on"}
        answer = httpx.post(
            f"{served.url}/v1/chat/completions",
            json={"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4},
            headers={"Authorization": f"Bearer {KEY}"},
            verify=trusted,
            timeout=60,
        )
        assert answer.status_code == 200


def test_weights_beside_it(gguf: Path, tmp_path: Path) -> None:
    """They are another file than the solofile."""
    order = Order(
        parse_source(str(gguf)), host_target(), tmp_path / "chat", has_sidecar=True,
        is_smoke_tested=False,
    )  # fmt: skip
    path = Path(make_solofile(order).path)
    assert path.with_name("chat.weights").is_file()
    with ServedSolofile(path, "serve", "--port", "0", "--sandbox", "on") as served:
        assert set(_sandbox(served).values()) == {"on"}


def _calls(folder: Path, *command: str | Path) -> str:
    """Run a command of a solofile, and return how the kernel answered what closes the sandbox."""
    strace, trace = required_tool("strace"), folder / "trace"
    names = "trace=landlock_restrict_self,seccomp"
    done = run_solofile(Path(strace), "-f", "-e", names, "-o", str(trace), *map(str, command))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    return trace.read_text(encoding="utf-8")


def test_commands_that_answer_once(
    solofile: Path, gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They read what settings name, keep prompts, and have all of it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(gguf, "draft.gguf")
    write_tiny_lora(tmp_path / "adapter.gguf")
    Path("template.jinja").write_text("{{ messages[-1].content }}", encoding="utf-8")
    traced = _calls(
        tmp_path, solofile, "run", "-n", "4", "--sandbox", "on", "-md", "draft.gguf",
        "--chat-template-file", "template.jinja", "--prompt-cache", "prompts",
        "One of many words. " * 40,
    )  # fmt: skip
    assert "landlock_restrict_self" in traced
    assert "SECCOMP_SET_MODE_FILTER" in traced
    assert " = -1" not in traced
    assert [path.suffix for path in Path("prompts").iterdir()] == [".prompt"]
    traced = _calls(
        tmp_path, solofile, "embed", "--sandbox", "on", "--lora", "adapter.gguf", "Good morning."
    )
    assert "landlock_restrict_self" in traced
    assert "SECCOMP_SET_MODE_FILTER" in traced


def test_a_conversation(solofile: Path, tmp_path: Path) -> None:
    """It opens the files that are named in it, and can connect to nothing and start nothing."""
    (tmp_path / "notes.txt").write_text("The secret word is banana.", encoding="utf-8")
    saved = tmp_path / "chat.json"
    state = {"XDG_STATE_HOME": str(tmp_path)}
    with PseudoTerminal(
        solofile, "chat", "--sandbox", "on", "-n", "4", "--temp", "0", env=state
    ) as chat:
        chat.wait_for(PROMPT)
        status = Path(f"/proc/{chat.process.pid}/status").read_text(encoding="utf-8")
        assert "Seccomp:\t2" in status
        for typed in (f"/file {tmp_path / 'notes.txt'}", "Which word?", f"/save {saved}"):
            chat.press(f"{typed}\r")
            chat.wait_for(PROMPT)
        chat.press("/bye\r")
        assert chat.process.wait(timeout=10) == 0
    assert "banana" in saved.read_text(encoding="utf-8")


def test_off(solofile: Path) -> None:
    """Nothing is given up, and that is told."""
    with ServedSolofile(solofile, "serve", "--port", "0", "--sandbox", "off") as served:
        assert _sandbox(served) == dict.fromkeys(
            ("files", "network", "programs"), "off: --sandbox off"
        )
        status = Path(f"/proc/{served.process.pid}/status").read_text(encoding="utf-8")
        assert "NoNewPrivs:\t0" in status


def test_a_system_without_landlock(solofile: Path) -> None:
    """A server starts with the rest, and says why; what is to have all of it does not start."""
    # The kernel's answer, put in by strace.
    strace = Path(required_tool("strace"))
    without = ("-D", "-f", "-o", "/dev/null", "-e", "inject=landlock_create_ruleset:error=EPERM")
    with ServedSolofile(strace, *without, str(solofile), "serve", "--port", "0") as served:
        sandbox = _sandbox(served)
        assert sandbox["files"] == "off: this container forbids Landlock"
        assert sandbox["network"] == sandbox["programs"] == "on"
    for command in (("serve",), ("run", "Hi")):
        refused = run_solofile(strace, *without, str(solofile), *command, "--sandbox", "on")
        assert refused.returncode == 4
        assert "--sandbox on cannot be had: files off: this container forbids" in refused.stderr
