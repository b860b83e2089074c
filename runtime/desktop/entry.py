"""The desktop entry: what a solofile is in the menus of Linux desktops."""

import os
import re
from pathlib import Path

from runtime.branding import ICON_TYPES, Icon
from runtime.desktop.files import remove, write_whole
from runtime.desktop.identity import Identity

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def install_entry(identity: Identity, icon: Icon) -> Path:
    """Put a solofile and its icon into the menus of this user, and return the entry.

    Raises:
        ResourceError: One of them cannot be written.
    """
    suffix = next(name for name, kind in ICON_TYPES.items() if kind == icon.media_type)
    picture = _icon_files(identity)[suffix]
    text = entry_text(identity, picture)
    for other in _icon_files(identity).values():
        remove(other)
    write_whole(picture, icon.data)
    write_whole(_entry_file(identity), text.encode())
    return _entry_file(identity)


def remove_entry(identity: Identity) -> bool:
    """Take a solofile out of the menus again, and say whether it was there.

    Raises:
        ResourceError: A file cannot be removed.
    """
    was_there = remove(_entry_file(identity))
    for picture in _icon_files(identity).values():
        remove(picture)
    return was_there


def entry_text(identity: Identity, icon: Path) -> str:
    """Return the entry."""
    values = {
        "Type": "Application",
        "Name": identity.title,
        "Comment": f"Talk to {identity.title} on this computer",
        "Exec": _command(identity.path),
        # Where the solofile was moved or deleted, menus leave the entry out.
        "TryExec": str(identity.path),
        "Icon": str(icon),
        "Terminal": "false",
        "Categories": "Utility;",
        "Keywords": "chat;AI;solofile;",
    }
    lines = [f"{key}={_escaped(value)}" for key, value in values.items()]
    return "\n".join(["[Desktop Entry]", *lines, ""])


def _command(path: Path) -> str:
    """Return what starts a path, as `Exec` wants it, before a string's own escapes."""
    # The specification forbids the one in a program's name, and GLib mistakes the other there.
    if "=" in str(path) or "%" in str(path):
        return " ".join(["sh", "-c", _quoted('exec "$0"'), _quoted(str(path))])
    return _quoted(str(path))


def _quoted(word: str) -> str:
    escaped = re.sub(r'(["`$\\])', r"\\\1", word)
    return f'"{escaped.replace("%", "%%")}"'


def _escaped(value: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in value)


def _entry_file(identity: Identity) -> Path:
    return _data_folder() / "applications" / f"{identity.id}.desktop"


def _icon_files(identity: Identity) -> dict[str, Path]:
    """Return where its icon may lie, by the kind of picture."""
    folder = _data_folder() / "solofile" / "icons"
    return {suffix: folder / f"{identity.id}{suffix}" for suffix in ICON_TYPES}


def _data_folder() -> Path:
    given = Path(os.environ.get("XDG_DATA_HOME") or ".")
    # The base directory specification wants relative paths passed over.
    return given if given.is_absolute() else Path.home() / ".local" / "share"
