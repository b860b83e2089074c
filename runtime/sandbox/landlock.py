"""Landlock: which files a thread, and those that it starts from then on, may open.

Its numbers are those of the kernel's `linux/landlock.h`. What was opened before stays open.
"""

import contextlib
import errno
import os
import struct
from collections.abc import Sequence

from runtime.sandbox.kernel import call, give_up_new_privileges, place
from runtime.sandbox.reach import Reach

# The same on all processors.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASKS_FOR_VERSION = 1
_PATH_BENEATH = 1

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_FILE, _MAKE_REG, _TRUNCATE = 1 << 5, 1 << 8, 1 << 14
_OF_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE
_READING = _READ_FILE | _READ_DIR
_WRITING = _READ_FILE | _WRITE_FILE | _TRUNCATE
_KEEPING = _READING | _WRITING | _REMOVE_FILE | _MAKE_REG

# By version of the interface: the file rights that it knows. The first has 13, among them to
# execute; then came renaming between folders, truncating, and ioctl on devices.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
# To bind and to connect TCP sockets.
_NETWORK_RIGHTS, _NETWORK_SINCE = 0b11, 4
# Abstract Unix sockets, and signals, of processes outside.
_SCOPES, _SCOPES_SINCE = 0b11, 6

# Rights that are handled: of files, of the network, scopes (`struct landlock_ruleset_attr`); rights
# that are given, and where (`struct landlock_path_beneath_attr`).
_RULESET, _RULE = struct.Struct("=QQQ"), struct.Struct("=Qi")

_WHY_NOT = {
    errno.ENOSYS: "this kernel has no Landlock",
    errno.EOPNOTSUPP: "Landlock was turned off when this system started",
    errno.EPERM: "this container forbids Landlock",
}


class LandlockError(Exception):
    """The kernel has no Landlock for us; the text says why."""


def version() -> int:
    """Return the version of the kernel's interface.

    Raises:
        LandlockError: There is none.
    """
    try:
        return call(_CREATE_RULESET, 0, 0, _ASKS_FOR_VERSION)
    except OSError as error:
        raise LandlockError(_WHY_NOT.get(error.errno or 0, str(error.strerror))) from error


def restrict_thread(reach: Reach) -> int:
    """Keep this thread, and all that it starts from now on, to some files, and from TCP.

    Returns:
        The version of the kernel's interface.

    Raises:
        LandlockError: The kernel does not do it; nothing has changed then.
    """
    known = version()
    rights = max(rights for since, rights in _FILE_RIGHTS.items() if since <= known)
    wanted = _RULESET.pack(
        rights,
        _NETWORK_RIGHTS if known >= _NETWORK_SINCE else 0,
        _SCOPES if known >= _SCOPES_SINCE else 0,
    )
    try:
        rules = call(_CREATE_RULESET, wanted, len(wanted), 0)
        try:
            _allow(rules, reach.reads, _READING & rights)
            _allow(rules, reach.writes, _WRITING & rights)
            _allow(rules, reach.folders, _KEEPING & rights)
            give_up_new_privileges()
            call(_RESTRICT_SELF, rules, 0)
        finally:
            os.close(rules)
    except OSError as error:
        raise LandlockError(f"Landlock refuses: {error.strerror}") from error
    return known


def keeps_from_tcp(known: int) -> bool:
    """Say whether a version of the interface keeps from TCP, too."""
    return known >= _NETWORK_SINCE


def _allow(rules: int, paths: Sequence[str], rights: int) -> None:
    """Add a rule for each path; what is not there needs none."""
    for path in paths:
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError),
            place(path) as parent,
        ):
            _add(rules, parent, rights)


def _add(rules: int, parent: int, rights: int) -> None:
    """Add a rule; for what is no folder, of the rights that files have alone."""
    try:
        call(_ADD_RULE, rules, _PATH_BENEATH, _RULE.pack(rights, parent), 0)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        call(_ADD_RULE, rules, _PATH_BENEATH, _RULE.pack(rights & _OF_FILES, parent), 0)
