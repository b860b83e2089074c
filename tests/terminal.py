"""A program in a terminal of its own, driven by what it shows."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

# What ends the line editor's last drawing before a key is waited for.
PROMPT = "\x1b[?2004h"
_ROWS, _COLUMNS = 30, 200


class PseudoTerminal:
    """A program whose stdin, stdout and stderr are a terminal; a context manager that ends it.

    Attributes:
        process: The program.
        shown: All it has shown.
    """

    def __init__(self, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        self.shown = ""
        self._read_to = 0
        self.process = subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            # Nobody is here to tell where the cursor stands.
            env=os.environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"} | dict(env or {}),
        )
        os.close(follower)

    def press(self, keys: str) -> None:
        """Press keys; Enter is a carriage return."""
        os.write(self._leader, keys.encode())

    def wait_for(self, text: str, *, timeout_s: float = 60) -> str:
        """Wait until a text is shown behind what was waited for before; return what is between."""
        deadline = time.monotonic() + timeout_s
        while (place := self.shown.find(text, self._read_to)) < 0:
            assert time.monotonic() < deadline, self.shown[self._read_to :]
            if select.select([self._leader], [], [], 0.1)[0]:
                self.shown += os.read(self._leader, 4096).decode(errors="replace")
        before = self.shown[self._read_to : place]
        self._read_to = place + len(text)
        return before

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._leader)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
