"""The one process of a solofile that double clicks talk to.

It holds a lock on a file of this user, and writes into it where its page is. However it ends, the
system frees the lock, so nothing that a dead process left is ever believed.
"""

import hashlib
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Self
from urllib.parse import urlsplit

import msgspec

from runtime import manifest
from runtime.payload import Payload

# What a start takes until it listens, on a slow machine; it begins to load the model later.
_LISTENS_WITHIN_S = 10.0
_LOOK_AGAIN_S = 0.05
_CONNECT_S = 1.0


class _State(msgspec.Struct, frozen=True):
    """What the file says: where the page is, and which process serves it."""

    address: str
    pid: int


class Instance:
    """This process's claim to be the one; a context manager that gives it up.

    Args:
        file: The open state file; None where there can be none, and each start is for itself.
        is_ours: Whether we hold its lock.
    """

    def __init__(self, file: IO[bytes] | None, *, is_ours: bool) -> None:
        self._file = file
        self._is_ours = is_ours

    @classmethod
    def claim(cls, payload: Payload) -> Self:
        """Claim to be the one process of a solofile."""
        try:
            path = _state_file(payload)
            # Neither emptied nor made anew: another process may hold it.
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        except OSError:
            return cls(None, is_ours=False)
        return cls(file, is_ours=_lock(file))

    def address_of_other(self) -> str | None:
        """Return where the page of the process is that holds the claim; None: none answers."""
        if self._file is None or self._is_ours:
            return None
        deadline = time.monotonic() + _LISTENS_WITHIN_S
        while not (state := self._read()) and time.monotonic() < deadline:
            if _lock(self._file):
                # It ended before it listened, so now the claim is ours.
                self._is_ours = True
                return None
            time.sleep(_LOOK_AGAIN_S)
        return state.address if state and _answers(state.address) else None

    def tell(self, address: str) -> None:
        """Let later double clicks know where the page is."""
        if self._file and self._is_ours:
            _overwrite(self._file, msgspec.json.encode(_State(address, os.getpid())))

    def __enter__(self) -> Self:
        return self

    def give_up(self) -> None:
        """Let the next double click start a process of its own."""
        file, self._file = self._file, None
        if file is None:
            return
        if self._is_ours:
            _overwrite(file, b"")
        file.close()

    def __exit__(self, *_: object) -> None:
        self.give_up()

    def _read(self) -> _State | None:
        assert self._file is not None, "asked only where there is one"
        self._file.seek(0)
        try:
            return msgspec.json.decode(self._file.read(), type=_State)
        except msgspec.MsgspecError:
            return None


def _overwrite(file: IO[bytes], data: bytes) -> None:
    file.seek(0)
    file.truncate()
    file.write(data)


def _state_file(payload: Payload) -> Path:
    """Return a file for this very solofile: another version of it at the same path has its own."""
    facts = manifest.encode(payload.manifest) if payload.manifest else b""
    digest = hashlib.sha256(os.fsencode(payload.path.resolve()) + b"\0" + facts)
    return _user_folder() / f"{digest.hexdigest()[:32]}.json"


def _user_folder() -> Path:
    """Return a folder for what this user runs on this machine, which no other user may enter.

    Raises:
        OSError: There is none, or it is not ours.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "solofile" if runtime else Path(tempfile.gettempdir()) / _own_name()
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if hasattr(os, "getuid") and (facts.st_uid != os.getuid() or facts.st_mode & 0o077):
        raise PermissionError(f"{folder} may be used by others")
    return folder


def _own_name() -> str:
    return f"solofile-{os.getuid()}-running" if hasattr(os, "getuid") else "solofile-running"


def _lock(file: IO[bytes]) -> bool:
    """Take a file's lock, and say whether it is ours; Windows has none that readers get past."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some network file systems lock nothing: each start is for itself.
        return True
    return True


def _answers(address: str) -> bool:
    url = urlsplit(address)
    try:
        socket.create_connection((url.hostname or "", url.port or 0), _CONNECT_S).close()
    except OSError:
        return False
    return True
