"""Starting a real solofile as a desktop does, with a browser that only notes what it is to open."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import pytest

TIMEOUT_S = 60
_NOTING_BROWSER = """\
#!/bin/sh
printf '%s\\n' "$1" >>"$0.opened"
"""


class Desktop:
    """A session of someone at a screen; a context manager that ends what was started in it."""

    def __init__(self, folder: Path) -> None:
        """Take an empty folder for what the session keeps."""
        self._browser = folder / "browser"
        self._browser.write_text(_NOTING_BROWSER, encoding="utf-8")
        self._browser.chmod(0o755)
        self._opened = folder / "browser.opened"
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        left_out = ("SSH_CONNECTION", "WAYLAND_DISPLAY")
        self.environment = {
            name: value for name, value in os.environ.items() if name not in left_out
        } | {
            "DISPLAY": ":99",
            "BROWSER": str(self._browser),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "HOME": str(folder),
        }
        # The runtime that other tests have unpacked serves here, too.
        self.environment.setdefault("SOLOFILE_CACHE", str(Path.home() / ".cache" / "solofile"))
        self._started: list[subprocess.Popen[bytes]] = []

    def double_click(
        self, command: Path | Sequence[str], *, output: int = subprocess.DEVNULL, **settings: str
    ) -> subprocess.Popen[bytes]:
        """Start a program without arguments, or a whole command, in a session without a terminal.

        Args:
            command: What to start.
            output: Where what it says goes.
            settings: More variables.
        """
        process = subprocess.Popen(
            [command] if isinstance(command, Path) else command,
            env=self.environment | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def use_screen(self, display: str) -> None:
        """Show windows on a screen that is really there."""
        self.environment["DISPLAY"] = display

    def use_browser(self, path: str) -> None:
        """Open pages in a real browser, whose profile is the session's own."""
        profile = self._browser.with_name("profile")
        self._browser.write_text(
            f"{_NOTING_BROWSER}exec {path} --no-sandbox --disable-gpu --no-first-run "
            f'--user-data-dir={profile} "$1"\n',
            encoding="utf-8",
        )

    def opened(self) -> list[str]:
        """Return the addresses that the browser was to open, in their order."""
        try:
            return self._opened.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def wait_for_page(self, number: int = 1) -> str:
        """Wait until the browser was told to open as many pages, and return the last one's address.

        The address has no slash at the end.
        """
        deadline = time.monotonic() + TIMEOUT_S
        while len(self.opened()) < number:
            assert time.monotonic() < deadline, "no page was opened in time"
            time.sleep(0.02)
        return self.opened()[number - 1].removesuffix("/")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait(TIMEOUT_S)


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Start an X server without a monitor, and yield the name of its display."""
    reading, writing = os.pipe()
    command = [required_tool("Xvfb"), "-displayfd", str(writing), "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as number:
            yield f":{number.readline().strip()}"
    finally:
        server.terminate()
        server.wait(TIMEOUT_S)


def required_tool(name: str) -> str:
    """Return a program of the system; without it the test is skipped, but in CI it fails."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def wait_until_ready(url: str) -> None:
    """Wait until a server's model is loaded."""
    deadline = time.monotonic() + TIMEOUT_S
    while httpx.get(f"{url}/health", timeout=TIMEOUT_S).status_code != 200:
        assert time.monotonic() < deadline, "the model is not loaded in time"
        time.sleep(0.02)
