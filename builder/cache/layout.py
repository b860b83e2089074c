"""Where everything in the cache lies, and what it is."""

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from runtime.user_folders import user_cache_dir


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of items.

    Args:
        name: What commands call it.
        what: What it is, for people.
        pattern: Where its items lie in the cache folder.
        is_remade: Whether a build makes or fetches them again.
        is_the_hubs: Whether they lie in the hub's cache instead.
    """

    name: str
    what: str
    pattern: str
    is_remade: bool = True
    is_the_hubs: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("kits", "kits built here", "kits/built/*"),
        Kind("imported-kits", "kits carried here", "kits/imported/*", is_remade=False),
        Kind("llamacpp", "llama.cpp's source and libraries", "llamacpp/*/*"),
        Kind("launchers", "compiled launchers", "stub/*"),
        Kind("zstd", "zstd's source", "zstd/*"),
        Kind("tools", "compilers and build tools", "tools/*"),
        Kind("roots", "other systems that runtimes are frozen in", "roots/*"),
        Kind("wheels", "models out of wheels", "wheels/*"),
        Kind(
            "downloads",
            "unfinished downloads from the hub",
            "models--*/blobs/*.incomplete",
            is_the_hubs=True,
        ),
        Kind("merged", "split models put together", "merged/*"),
        Kind("converter", "environments of llama.cpp's converter", "converter/*"),
        Kind("converted", "converted models", "converted/*"),
        Kind("imatrix", "importance matrices", "imatrix/*"),
        Kind("quantized", "quantized models", "quantized/*"),
        Kind("baked", "computed prompts", "baked/*"),
        Kind("runtimes", "runtimes that solofiles unpacked", "runtime/*"),
        Kind("bench", "environments of benchmarks", "bench/*"),
        Kind("logs", "logs of errors", "logs/*"),
    )
}
# What files.py, items.py and the launcher call what is not finished, or no longer wanted.
_LEFT_OVER = (".*.????????.part", "*.part.*.*")
_LOCK = "*.lock"


def paths_of(kind: Kind) -> list[Path]:
    """Return the items of a kind."""
    folder = _hubs_cache() if kind.is_the_hubs else user_cache_dir()
    return sorted(path for path in folder.glob(kind.pattern) if not _is_no_item(path))


def scratch_path(name: str) -> Path:
    """Return where work that is not kept lies; `name` says whose it is."""
    return user_cache_dir() / "scratch" / name


def left_overs() -> list[Path]:
    """Return what looks like the remains of interrupted work; it may still be going on."""
    return sorted(path for path in _all_paths() if is_left_over(path))


def locks() -> list[Path]:
    """Return the files that builds wait at for each other."""
    return sorted(path for path in _all_paths() if fnmatch.fnmatch(path.name, _LOCK))


def is_left_over(path: Path) -> bool:
    """Say whether a name is that of something unfinished."""
    return any(fnmatch.fnmatch(path.name, pattern) for pattern in _LEFT_OVER)


def _hubs_cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _all_paths() -> set[Path]:
    patterns = {kind.pattern for kind in KINDS.values() if not kind.is_the_hubs}
    patterns |= {"kits/*", "scratch/.*"}
    return {path for pattern in patterns for path in user_cache_dir().glob(pattern)}


def _is_no_item(path: Path) -> bool:
    return is_left_over(path) or fnmatch.fnmatch(path.name, _LOCK) or path.is_symlink()
