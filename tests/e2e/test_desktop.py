"""A real solofile in the menus, and as a service."""

import json
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.desktop import TIMEOUT_S, Desktop, required_tool, virtual_screen
from tests.solofile import run_solofile

_NOTING_SYSTEMCTL = """\
#!/bin/sh
printf '%s\\n' "$*" >>"$0.calls"
"""


@pytest.fixture
def own(solofile: Path, tmp_path: Path) -> Path:
    """The demo's solofile under a name that needs quotes."""
    path = tmp_path / 'A "model" of 100 %'
    path.hardlink_to(solofile)
    return path


def test_a_click_in_the_menus_opens_the_page(desktop: Desktop, own: Path, tmp_path: Path) -> None:
    """The entry is valid, starts a server as a double click does, and goes again."""
    done = run_solofile(own, "install-desktop", env=desktop.environment)
    assert done.returncode == 0, done.stderr
    assert "SmolLM2-135M-Instruct is in your menus" in done.stdout
    entry = next((tmp_path / "data" / "applications").iterdir())
    subprocess.run([required_tool("desktop-file-validate"), entry], check=True)
    icon = next((tmp_path / "data" / "solofile" / "icons").iterdir())
    assert icon.read_bytes().startswith(b"<svg")
    desktop.double_click([required_tool("gio"), "launch", str(entry)])
    url = desktop.wait_for_page()
    assert run_solofile(own, "uninstall-desktop", env=desktop.environment).returncode == 0
    assert not entry.exists()
    assert httpx.post(f"{url}/page/quit").status_code == 200


def test_a_click_shows_the_page_on_a_screen(desktop: Desktop, own: Path, tmp_path: Path) -> None:
    """A browser that is really there loads it, tells that it is open, and asks for the model."""
    log = tmp_path / "log.jsonl"
    assert run_solofile(own, "install-desktop", env=desktop.environment).returncode == 0
    entry = next((tmp_path / "data" / "applications").iterdir())
    desktop.environment |= {"SOLOFILE_LOG_FILE": str(log), "SOLOFILE_LOG_FORMAT": "json"}
    with virtual_screen() as display:
        desktop.use_screen(display)
        desktop.use_browser(required_tool("chromium"))
        desktop.double_click([required_tool("gio"), "launch", str(entry)])
        url = desktop.wait_for_page()
        # Its style has been read, and so has a module that another one names.
        deadline = time.monotonic() + TIMEOUT_S
        while not {"/page/app.css", "/page/stream.js"} <= _paths(log):
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        assert httpx.post(f"{url}/page/quit").status_code == 200


def _paths(log: Path) -> set[str]:
    """Return what was asked for, by the log."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return {json.loads(line).get("path", "") for line in lines}


def test_a_service_comes_and_goes(desktop: Desktop, own: Path, tmp_path: Path) -> None:
    """Systemd is told of the unit, and of its end; what it says of it is passed on."""
    calls = _systemctl(desktop, tmp_path)
    done = run_solofile(own, "service", "install", "--port", "9000", env=desktop.environment)
    assert done.returncode == 0, done.stderr
    unit = next((tmp_path / "config" / "systemd" / "user").iterdir())
    assert unit.stat().st_mode & 0o777 == 0o600
    assert '"serve" "--no-browser" "--port" "9000"' in unit.read_text(encoding="utf-8")
    assert run_solofile(own, "service", "status", env=desktop.environment).returncode == 0
    assert run_solofile(own, "service", "remove", env=desktop.environment).returncode == 0
    assert not unit.exists()
    verbs = [line.split()[1:3] for line in calls.read_text(encoding="utf-8").splitlines()]
    assert verbs == [
        ["daemon-reload"],
        ["enable", unit.name],
        ["restart", unit.name],
        ["--no-pager", "status"],
        ["disable", "--now"],
        ["daemon-reload"],
    ]
    gone = run_solofile(own, "service", "status", env=desktop.environment)
    assert (gone.returncode, gone.stdout) == (
        1,
        "SmolLM2-135M-Instruct is not installed as a service.\n",
    )


def test_what_systemd_refuses_is_not_installed(desktop: Desktop, own: Path, tmp_path: Path) -> None:
    """Its reason is told, and no unit is left."""
    _systemctl(desktop, tmp_path, "echo 'Failed to connect to bus' >&2; exit 1")
    done = run_solofile(own, "service", "install", env=desktop.environment)
    assert done.returncode == 4
    assert done.stderr.endswith("daemon-reload failed: Failed to connect to bus\n")
    assert not list((tmp_path / "config").rglob("*.service"))


def test_what_serve_would_not_take_is_refused(desktop: Desktop, own: Path, tmp_path: Path) -> None:
    """Here and now, and not in a log after the next login."""
    calls = _systemctl(desktop, tmp_path)
    done = run_solofile(own, "service", "install", "--prot", "9000", env=desktop.environment)
    assert done.returncode == 2
    assert "--prot" in done.stderr
    assert not calls.exists()


def _systemctl(desktop: Desktop, folder: Path, ending: str = "") -> Path:
    """Put a systemctl first on the path that notes its calls, and return where."""
    tool = folder / "bin" / "systemctl"
    tool.parent.mkdir()
    tool.write_text(_NOTING_SYSTEMCTL + ending, encoding="utf-8")
    tool.chmod(0o755)
    desktop.environment["PATH"] = f"{tool.parent}:{desktop.environment['PATH']}"
    return tool.with_name("systemctl.calls")
