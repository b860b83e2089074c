"""Driving a real solofile as its users do: as a process, over its own address."""

import os
import re
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

START_TIMEOUT_S = 60
_ADDRESS = re.compile(r" is at (https?://\S+?)/\s")


def run_solofile(
    path: Path, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of a solofile to its end."""
    return subprocess.run(
        [path, *arguments],
        input=stdin,
        env=os.environ | dict(env or {}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


class ServedSolofile:
    """A solofile that serves; a context manager that ends it.

    Attributes:
        url: Its address, without a slash at the end.
        process: The running program.
        tls: Whom to trust where the address is HTTPS.
    """

    def __init__(
        self,
        path: Path,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        self.tls = tls
        self.process = subprocess.Popen(
            [path, *arguments, "--no-browser"],
            env=os.environ | dict(env or {}),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        assert self.process.stdout is not None, "opened with a pipe"
        line = self.process.stdout.readline()
        match = _ADDRESS.search(line)
        assert match, f"no address in {line!r}"
        self.url = match[1]

    def wait_until_ready(self) -> Self:
        """Wait until the model is loaded."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.status("/health") != 200:
            assert time.monotonic() < deadline, "the model is not loaded in time"
            time.sleep(0.02)
        return self

    def status(self, path: str) -> int:
        """Return the status code of a GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30, context=self.tls) as response:
                code: int = response.status
                return code
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def metrics(self) -> dict[str, float]:
        """Return what `GET /metrics` says now, by name and labels."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as response:
            lines = response.read().decode().splitlines()
        values = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in values}

    def anonymous_bytes(self) -> int:
        """Return the memory that no file holds, of the process and of those it started (Linux)."""
        return sum(
            int(line.split()[1]) * 1024
            for pid in (self.process.pid, *_children(self.process.pid))
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
            if line.startswith("Anonymous:")
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal and return its exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait until it ends and return its exit code."""
        code = self.process.wait(timeout=60)
        assert self.process.stdout is not None, "opened with a pipe"
        self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self.wait_until_ready()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is not None:
            return
        if os.name == "nt":
            self.process.kill()
            self.wait()
        else:
            # Unlike SIGTERM it waits for no answer that a test left behind.
            self.stop(signal.SIGINT)


def _children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text(encoding="utf-8").split()
    ]
