"""Downloading one file into the hub's own cache, going on where an interrupted run stopped.

The client library throws a partial file away when it is interrupted. So a large file is first
completed here, beside the place in the cache where the library looks for it, with the library's
own transfer; then the library finds it there and does the rest.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from builder import console
from builder.files import explained_disk_errors, require_space

if sys.platform != "win32":
    import fcntl
if TYPE_CHECKING:
    from huggingface_hub.file_download import HfFileMetadata

TIMEOUT_S = 8.0
# Less than this is fetched anew sooner than it is worth resuming.
RESUMABLE_BYTES = 8 << 20


def download(repository: str, name: str, commit: str) -> Path:
    """Return a file of the hub's cache, downloaded first where it is not there yet.

    Args:
        repository: `OWNER/NAME`.
        name: The file's path in it.
        commit: The full name of a commit.

    Raises:
        DiskError: The cache is full or not writable.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.utils.tqdm import disable_progress_bars

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    if not console.is_terminal():
        disable_progress_bars()
    cached = cached_file(repository, name, commit)
    if cached:
        return cached
    with explained_disk_errors(Path(constants.HF_HUB_CACHE)):
        url = hf_hub_url(repository, name, revision=commit)
        metadata = get_hf_file_metadata(url, timeout=TIMEOUT_S, token=None)
        if RESUMABLE_BYTES <= (metadata.size or 0) <= constants.MAX_HTTP_DOWNLOAD_SIZE:
            _complete_blob(repository, name, url, metadata)
        return Path(hf_hub_download(repository, name, revision=commit, etag_timeout=TIMEOUT_S))


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


def _complete_blob(repository: str, name: str, url: str, metadata: "HfFileMetadata") -> None:
    """Bring the file's content to where the library looks before it downloads anything."""
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    assert metadata.etag, "the hub tells a digest of every file"
    assert metadata.size, "only large files come here"
    blob = repository_folder(repository) / "blobs" / metadata.etag
    blob.parent.mkdir(parents=True, exist_ok=True)
    part = blob.with_name(f"{blob.name}.incomplete")
    with _one_at_a_time(part) as file:
        done = file.seek(0, 2)
        if blob.exists():
            part.unlink(missing_ok=True)
            return
        require_space(blob.parent, metadata.size - done, purpose=name)
        if done:
            console.info(f"Going on with {name} at {console.human_bytes(done)}.")
        http_get(
            url,
            file,
            resume_size=done,
            headers=build_hf_headers(),
            expected_size=metadata.size,
            displayed_filename=name,
        )
        file.flush()
        part.replace(blob)


@contextmanager
def _one_at_a_time(part: Path) -> Iterator[BinaryIO]:
    """Open a partial file, once no other process is writing it."""
    with part.open("ab") as file:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                console.info("Another build is downloading this file; waiting for it.")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield file
