"""Checking every byte of a solofile against its manifest."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from runtime.container import MANIFEST_NAME, Checksums, Container
from runtime.errors import DamagedFileError
from runtime.layout import DIRECTORY, header_fault, layout_faults
from runtime.manifest import Manifest, decode
from runtime.zip_records import COPY_AGAIN, has_directory_records


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a file.

    Args:
        path: The file.
        is_sound: Whether it is as it was packed.
        wrong: The parts that are not, as far as they can be named.
        problem: The same as a sentence; empty where nothing is wrong.
    """

    path: str
    is_sound: bool
    wrong: list[str]
    problem: str = ""

    def require_sound(self) -> None:
        """Raise the problem.

        Raises:
            DamagedFileError: There is one.
        """
        if not self.is_sound:
            raise DamagedFileError(self.problem, hint=COPY_AGAIN)


def judge(path: Path, *, advance: Callable[[int], None] = lambda _: None) -> Verdict:
    """Return what is to be said of a solofile, or of a file that is none.

    Args:
        path: The file.
        advance: Told the bytes of each chunk checked.

    Raises:
        UnsupportedError: Its format is newer than this version reads.
    """
    wrong, problem = [], ""
    try:
        if wrong := verify(path, advance=advance):
            problem = f"{path} is damaged in {', '.join(wrong)}."
    except DamagedFileError as error:
        problem = error.message
    return Verdict(path=str(path), is_sound=not problem, wrong=wrong, problem=problem)


def verify(path: Path, *, advance: Callable[[int], None] = lambda _: None) -> list[str]:
    """Return what is wrong with a solofile, each as the name of a part; empty where it is sound.

    Where the central directory or the manifest is damaged, nothing behind it can be checked.

    Args:
        path: The solofile.
        advance: Told the bytes of each chunk checked.

    Raises:
        DamagedFileError: It is no solofile, or so little is left that no part can be named.
        UnsupportedError: Its format is newer than this version reads.
    """
    try:
        container = Container.open(path)
    except DamagedFileError:
        if has_directory_records(path):
            return [DIRECTORY]
        raise
    with container:
        if fault := _manifest_fault(container):
            return [fault]
        manifest = decode(container.read(MANIFEST_NAME), path)
        return _wrong_parts(container, manifest, advance)


def _manifest_fault(container: Container) -> str:
    """Return the part that keeps the manifest from being read; empty where none does."""
    if MANIFEST_NAME not in container.entries:
        entries = container.entries.values()
        if any(header_fault(container, entry, []) for entry in entries):
            return DIRECTORY
        container.entry(MANIFEST_NAME)
    entry = container.entry(MANIFEST_NAME)
    if header_fault(container, entry, [MANIFEST_NAME]) == DIRECTORY:
        return DIRECTORY
    try:
        container.read(MANIFEST_NAME)
    except DamagedFileError:
        return MANIFEST_NAME
    return ""


def _wrong_parts(
    container: Container, manifest: Manifest, advance: Callable[[int], None]
) -> list[str]:
    names = [MANIFEST_NAME, *(facts.name for facts in manifest.entries)]
    wrong = layout_faults(container, manifest.launcher.size, names)
    launcher = container.range(0, manifest.launcher.size)
    if _checksums(launcher, advance).sha256 != manifest.launcher.sha256:
        wrong.insert(0, "launcher")
    if DIRECTORY in wrong:
        return wrong
    for facts in manifest.entries:
        if facts.name not in container.entries:
            wrong.append(f"{facts.name}, which is missing")
            continue
        found = _checksums(container.chunks(facts.name), advance)
        if found.sha256 != facts.sha256:
            wrong.append(facts.name)
        elif found.crc32 != container.entry(facts.name).crc32:
            wrong.append(f"the header of {facts.name}")
    unlisted = sorted(container.entries.keys() - set(names))
    return wrong + [f"{name}, which the manifest does not list" for name in unlisted]


def _checksums(chunks: Iterator[bytes], advance: Callable[[int], None]) -> Checksums:
    digest, crc32 = hashlib.sha256(), 0
    # Both let go of the interpreter's lock, so a second core takes the checksum.
    with ThreadPoolExecutor(1) as pool:
        for chunk in chunks:
            coming = pool.submit(zlib.crc32, chunk, crc32)
            digest.update(chunk)
            crc32 = coming.result()
            advance(len(chunk))
    return Checksums(digest.hexdigest(), crc32)
