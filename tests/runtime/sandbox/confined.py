"""A process that enters the sandbox, and then tries what serving needs and what it does not.

`test_sandbox.py` starts it with a folder to try that in, and with a word on how; what came of it is
printed as JSON.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from runtime.sandbox.reach import Reach
from runtime.sandbox.sandbox import enter

FOLDER = Path(sys.argv[1])
# As where drivers of GPUs are loaded: nothing is given up before the end.
IS_LATE = sys.argv[2] == "late"

_PTRACE_TRACEME = 0
_TIOCSTI = 0x5412


def _run_thread() -> None:
    ran = threading.Event()
    threading.Thread(target=ran.set).start()
    ran.wait()


def _accept() -> None:
    connection, _ = LISTENER.accept()
    connection.sendall(b"served")
    connection.close()


def _trace() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.ptrace(_PTRACE_TRACEME, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


# Made before, as a server's listener is.
LISTENER = socket.create_server(("127.0.0.1", 0))
CLIENTS = [socket.create_connection(LISTENER.getsockname()) for _ in range(2)]
TCP = socket.socket()
UDP = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
TERMINAL = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)

ATTEMPTS: dict[str, Callable[[], object]] = {
    "read": lambda: (FOLDER / "read").read_bytes(),
    "write": lambda: (FOLDER / "write").write_bytes(b"new"),
    "make": lambda: (FOLDER / "keep" / "new").write_bytes(b"new"),
    "rename": lambda: (FOLDER / "keep" / "new").rename(FOLDER / "keep" / "newer"),
    "remove": lambda: (FOLDER / "keep" / "newer").unlink(),
    "start a thread": _run_thread,
    "accept": _accept,
    "pair of sockets": socket.socketpair,
    "read passwd": lambda: Path("/etc/passwd").read_bytes(),
    "read beside": lambda: (FOLDER / "secret").read_bytes(),
    "list": lambda: list(FOLDER.iterdir()),
    "read another process": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "write what is read": lambda: (FOLDER / "read").write_bytes(b""),
    "make beside": lambda: (FOLDER / "new").write_bytes(b""),
    "remove beside": lambda: (FOLDER / "new").unlink(),
    "change mode": lambda: (FOLDER / "secret").chmod(0o777),
    "link": lambda: (FOLDER / "keep" / "link").hardlink_to(FOLDER / "secret"),
    "symlink": lambda: (FOLDER / "keep" / "symlink").symlink_to(FOLDER / "secret"),
    "connect TCP": lambda: TCP.connect(LISTENER.getsockname()),
    "bind TCP": lambda: TCP.bind(("127.0.0.1", 0)),
    "connect UDP": lambda: UDP.connect(("127.0.0.1", 53)),
    "make TCP": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "make UDP": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "make Unix": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "look up": lambda: socket.getaddrinfo("example.org", 80),
    "execute": lambda: os.execv("/bin/true", ["true"]),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "fork": lambda: os.fork() or os._exit(0),
    "signal": lambda: os.kill(os.getppid(), signal.SIGCONT),
    "trace": _trace,
    "type": lambda: fcntl.ioctl(TERMINAL, _TIOCSTI, b"x"),
}


def _try_all() -> dict[str, bool]:
    """Return what could be done, by name."""
    return {name: _can(attempt) for name, attempt in ATTEMPTS.items()}


def _can(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _rights() -> list[list[str]]:
    """Return of each thread what the kernel says of its rights."""
    tasks = [(task / "status").read_text("utf-8") for task in Path("/proc/self/task").iterdir()]
    wanted = ("NoNewPrivs", "Seccomp")
    return [
        [line.split()[1] for line in status.splitlines() if line.partition(":")[0] in wanted]
        for status in tasks
    ]


def main() -> None:
    """Enter, try in the main thread and in another, and tell."""
    is_entered = threading.Event()
    of_thread: dict[str, bool] = {}

    def try_later() -> None:
        is_entered.wait()
        of_thread.update(_try_all())

    thread = threading.Thread(target=try_later)
    if IS_LATE:
        thread.start()
    reach = Reach((str(FOLDER / "read"),), (str(FOLDER / "write"),), (str(FOLDER / "keep"),))
    sandbox = enter("auto", reach, uses_gpus=IS_LATE)
    states = [msgspec.structs.astuple(sandbox)]
    sandbox.seal()
    states.append(msgspec.structs.astuple(sandbox))
    if not IS_LATE:
        thread.start()
    told = {"states": states, "rights": _rights(), "main": _try_all()}
    is_entered.set()
    thread.join()
    sys.stdout.write(json.dumps(told | {"thread": of_thread}))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
