"""Checking every byte of a solofile against its manifest."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from runtime.container import MANIFEST_NAME, Container
from runtime.errors import DamagedFileError
from runtime.manifest import read_manifest
from runtime.zip_records import COPY_AGAIN


def verify(path: Path, *, advance: Callable[[int], None] = lambda _: None) -> list[str]:
    """Return what is wrong with a solofile, each as the name of a part; empty where it is sound.

    Args:
        path: The solofile.
        advance: Told the bytes of each chunk checked.

    Raises:
        DamagedFileError: It is no solofile, cut short, or its manifest cannot be read.
        UnsupportedError: Its format is newer than this version reads.
    """
    with Container.open(path) as container:
        manifest = read_manifest(container)
        wrong = []
        launcher = container.range(0, manifest.launcher.size)
        if _sha256(launcher, advance) != manifest.launcher.sha256:
            wrong.append("launcher")
        for facts in manifest.entries:
            if _sha256(container.chunks(facts.name), advance) != facts.sha256:
                wrong.append(facts.name)
        unlisted = container.entries.keys() - {facts.name for facts in manifest.entries}
        wrong += sorted(unlisted - {MANIFEST_NAME})
        if misplaced := container.misplaced(manifest.launcher.size):
            wrong.append(misplaced)
        return wrong


def require_sound(path: Path, *, advance: Callable[[int], None] = lambda _: None) -> None:
    """Check a solofile.

    Raises:
        DamagedFileError: Something is wrong with it; the sentence names what.
        UnsupportedError: Its format is newer than this version reads.
    """
    if wrong := verify(path, advance=advance):
        raise DamagedFileError(f"{path} is damaged in {', '.join(wrong)}.", hint=COPY_AGAIN)


def _sha256(chunks: Iterator[bytes], advance: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        advance(len(chunk))
    return digest.hexdigest()
