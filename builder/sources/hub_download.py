"""Downloading files into the hub's own cache, where its client library finds them, too.

The library throws a partial file away when it is interrupted, waits for a busy hub without a word
and does not look at digests. So the bytes are brought by `transfer.py`, through the library's
connections: they know the token, mirrors, proxies and certificates.
"""

import functools
import logging
from collections.abc import Mapping
from pathlib import Path

from builder import console
from builder.files import explained_disk_errors
from builder.sources.patience import patiently
from builder.sources.transfer import Wanted, transfer
from builder.workers import work_side_by_side

TIMEOUT_S = 8.0


def download(repository: str, sizes: Mapping[str, int], commit: str) -> list[Path]:
    """Return files of the hub's cache, those that are not there yet downloaded side by side.

    Args:
        repository: `OWNER/NAME`.
        sizes: How many bytes they have, by their paths in it.
        commit: The full name of a commit.

    Raises:
        DiskError: The cache is full or not writable.
        SourceError: What came is not what the hub promised.
    """
    from huggingface_hub import constants, hf_hub_download

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    missing = [
        name for name, size in sizes.items() if not _is_whole(repository, name, commit, size)
    ]
    with explained_disk_errors(Path(constants.HF_HUB_CACHE)):
        wanted = [_wanted(repository, name, commit) for name in missing]
        for one in wanted:
            if one.size > constants.MAX_HTTP_DOWNLOAD_SIZE:  # Given out in the hub's own way only.
                hf_hub_download(repository, one.name, revision=commit, etag_timeout=TIMEOUT_S)
        small = [one for one in wanted if one.size <= constants.MAX_HTTP_DOWNLOAD_SIZE]
        _transfer_all(small, repository_folder(repository) / "blobs")
        for one in small:
            _enter(repository, commit, one)
    return [_path(repository, name, commit) for name in sizes]


def cached_file(repository: str, name: str, commit: str) -> Path | None:
    """Return a file of the hub's cache, None where it is not there."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(repository, name, revision=commit)
    return Path(path) if isinstance(path, str) else None


def repository_folder(repository: str) -> Path:
    """Return where the hub's cache keeps a repository."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model")


def _path(repository: str, name: str, commit: str) -> Path:
    return repository_folder(repository) / "snapshots" / commit / name


def _is_whole(repository: str, name: str, commit: str, size: int) -> bool:
    """Say whether a file is cached; one of another size, which a crash may leave, is removed."""
    path = cached_file(repository, name, commit)
    if path and size and path.stat().st_size != size:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        return False
    return path is not None


def _wanted(repository: str, name: str, commit: str) -> Wanted:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(repository, name, revision=commit)
    facts = patiently(functools.partial(get_hf_file_metadata, url, timeout=TIMEOUT_S, token=None))
    if not facts.etag or facts.size is None:
        raise ValueError("the hub tells size and digest of every file")
    return Wanted(name, url, facts.size, facts.etag)


def _transfer_all(wanted: list[Wanted], blobs: Path) -> None:
    """Bring the contents of files to where the library keeps them."""
    blobs.mkdir(parents=True, exist_ok=True)
    contents = {one.etag: one for one in wanted if not (blobs / one.etag).exists()}
    works = [functools.partial(transfer, one, blobs / one.etag) for one in contents.values()]
    if not works:
        return
    names = ", ".join(one.name for one in contents.values())
    total = sum(one.size for one in contents.values())
    with console.progress(f"Downloading {names}", total) as advance:
        work_side_by_side(works, advance)


def _enter(repository: str, commit: str, wanted: Wanted) -> None:
    """Give a content its name in the cache, as the library does, and at the library's lock."""
    from huggingface_hub.file_download import _create_symlink
    from huggingface_hub.utils._fixes import WeakFileLock

    path = _path(repository, wanted.name, commit)
    home = repository_folder(repository)
    lock = home.parent / ".locks" / home.name / f"{wanted.etag}.lock"
    for folder in (path.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(str(lock)):
        if not path.exists():
            _create_symlink(str(home / "blobs" / wanted.etag), str(path), new_blob=True)
