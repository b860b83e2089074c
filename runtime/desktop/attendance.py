"""Whether someone sits before this machine's screen, and whether we were double-clicked."""

import os
import sys


def has_screen() -> bool:
    """Say whether windows can be opened, and not on a machine far away."""
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def was_double_clicked() -> bool:
    """Say whether a desktop started us: before a screen, without arguments and a terminal.

    A script that starts us gives arguments, and a service or container has no screen.
    """
    streams = (sys.stdin, sys.stdout, sys.stderr)
    has_terminal = any(stream is not None and stream.isatty() for stream in streams)
    return len(sys.argv) == 1 and not has_terminal and has_screen()
