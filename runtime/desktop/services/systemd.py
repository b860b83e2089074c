"""systemd's user units (Linux)."""

import os
from pathlib import Path

from runtime.desktop.services.service import Plan, Service

_SYSTEMCTL = ("systemctl", "--user")
# `serve` ends with these where a second try would end alike.
_HOPELESS = "2 3 4"
# systemd starts no program with one of these in its name.
_NOT_IN_PROGRAMS = frozenset("\"'\\")
# Longer than running answers get to finish after SIGTERM.
_STOP_S = 40


def systemd_plan(service: Service) -> Plan:
    """Return how systemd is told of a service."""
    unit = f"{service.identity.id}.service"
    return Plan(
        file=_folder() / unit,
        content=unit_text(service).encode(),
        start=[
            (*_SYSTEMCTL, "daemon-reload"),
            (*_SYSTEMCTL, "enable", unit),
            (*_SYSTEMCTL, "restart", unit),
        ],
        stop=[(*_SYSTEMCTL, "disable", "--now", unit)],
        forget=[(*_SYSTEMCTL, "daemon-reload")],
        status=(*_SYSTEMCTL, "--no-pager", "status", unit),
        note="It runs while you are logged in; `loginctl enable-linger` lets it run from boot on.",
    )


def unit_text(service: Service) -> str:
    """Return the unit's file."""
    program, *arguments = service.command
    if not _NOT_IN_PROGRAMS.isdisjoint(program):
        program, *arguments = "/bin/sh", "-c", 'exec "$0" "$@"', program, *arguments
    # Variables are replaced in arguments only.
    command = [_quoted(program), *(_quoted(word.replace("$", "$$")) for word in arguments)]
    return "\n".join(
        [
            "[Unit]",
            f"Description={service.identity.title.replace('%', '%%')} (solofile)",
            "",
            "[Service]",
            f"ExecStart={' '.join(command)}",
            "Restart=on-failure",
            f"RestartPreventExitStatus={_HOPELESS}",
            f"TimeoutStopSec={_STOP_S}",
            "",
            "[Install]",
            "WantedBy=default.target",
            "",
        ]
    )


def _quoted(word: str) -> str:
    for raw, escaped in ("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("%", "%%"):
        word = word.replace(raw, escaped)
    return f'"{word}"'


def _folder() -> Path:
    given = Path(os.environ.get("XDG_CONFIG_HOME") or ".")
    base = given if given.is_absolute() else Path.home() / ".config"
    return base / "systemd" / "user"
