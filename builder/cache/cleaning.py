"""Removing what is not used any more, and what interrupted runs left."""

import os
import time
from collections.abc import Collection
from pathlib import Path

import msgspec

from builder.cache.inventory import items, size_of
from builder.cache.items import is_held, remove
from builder.cache.layout import KINDS, left_overs, locks
from builder.files import STALE_AFTER_S, explained_disk_errors
from runtime.errors import UsageError

DAY_S = 24 * 60 * 60.0
DEFAULT_AGE_S = 30 * DAY_S


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """What a cleaning did, or would do.

    Args:
        removed: The paths that went.
        freed: Their sizes together, in bytes.
        in_use: The paths that would have gone, but that a process holds.
    """

    removed: list[str]
    freed: int
    in_use: list[str]


def clean(
    kinds: Collection[str] = (), *, min_age_s: float | None = None, is_dry_run: bool = False
) -> Cleaned:
    """Remove items that no process holds, and the remains of interrupted work.

    Args:
        kinds: The names of the kinds to remove; none means all that a build makes again.
        min_age_s: How long they must not have been used; None is 30 days, or 0 with kinds.
        is_dry_run: Only tell.

    Raises:
        DiskError: Something cannot be removed.
        UsageError: There is no such kind.
    """
    for name in kinds:
        if name not in KINDS:
            raise UsageError(f"{name} is no kind of items.", hint=f"There are {', '.join(KINDS)}.")
    chosen = [KINDS[name] for name in kinds] or [one for one in KINDS.values() if one.is_remade]
    if min_age_s is None:
        min_age_s = 0.0 if kinds else DEFAULT_AGE_S
    candidates = [(Path(one.path), one.size) for one in items(chosen) if one.age_s >= min_age_s]
    candidates += [(path, size_of(path)) for path in left_overs() if _is_stale(path)]
    removed, in_use, freed = [], [], 0
    for path, size in candidates:
        with explained_disk_errors(path):
            if is_held(path) or not (is_dry_run or remove(path)):
                in_use.append(str(path))
            else:
                removed.append(str(path))
                freed += size
    if not is_dry_run:
        _remove_locks()
    return Cleaned(removed=removed, freed=freed, in_use=in_use)


def _is_stale(path: Path) -> bool:
    """Say whether unfinished work has stood long enough that its lock would be there by now."""
    try:
        return time.time() - path.stat().st_mtime > STALE_AFTER_S and not is_held(path)
    except OSError:
        return False


def _remove_locks() -> None:
    """Remove the lock files of killed runs."""
    for path in locks():
        if not is_held(path) and os.access(path.parent, os.W_OK):
            path.unlink(missing_ok=True)
