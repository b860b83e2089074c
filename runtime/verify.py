"""Checking every byte of a solofile against its manifest."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from runtime.container import MANIFEST_NAME, SIGNATURE_NAME, Container, checksums_of
from runtime.errors import DamagedFileError
from runtime.keys import trusted_keys
from runtime.layout import DIRECTORY, header_fault, layout_faults
from runtime.manifest import Manifest, Sidecar, decode
from runtime.minisign import PublicKey
from runtime.seal import Seal, is_readable, read_seal
from runtime.sidecar import open_sidecar
from runtime.zip_records import COPY_AGAIN, has_directory_records


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a file.

    Args:
        path: The file.
        is_sound: Whether it is as it was packed and, where a key was named, signed by that.
        wrong: The parts that are not as they were packed, as far as they can be named.
        problem: What is wrong, as a sentence; empty where nothing is.
        signature: The signature inside, as far as it was looked at; None where there is none.
    """

    path: str
    is_sound: bool
    wrong: list[str]
    problem: str = ""
    signature: Seal | None = None

    def require_sound(self) -> None:
        """Raise the problem.

        Raises:
            DamagedFileError: There is one.
        """
        if not self.is_sound:
            raise DamagedFileError(self.problem, hint=COPY_AGAIN if self.wrong else "")

    @property
    def sentence(self) -> str:
        """What is to be said of a sound file."""
        seal = self.signature
        if seal is None:
            return f"{self.path} is sound."
        if not seal.is_checked:
            return (
                f"{self.path} is sound. It says that key {seal.key} signed it, which is not known "
                "here; name that key with --key to check it."
            )
        owner = f" ({seal.owner})" if seal.owner else ""
        return f"{self.path} is sound, and signed by key {seal.key}{owner}."


def judge(
    path: Path,
    *,
    key: PublicKey | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """Return what is to be said of a solofile, or of a file that is none.

    Args:
        path: The file.
        key: Who must have signed it; None takes what the user's trusted keys say of a signature,
            and does without one.
        advance: Told the bytes of each chunk checked.

    Raises:
        UnsupportedError: Its format is newer than this version reads.
        UsageError: One of the user's keys cannot be read.
    """
    seal = None
    wrong: list[str] = []
    problem = ""
    try:
        if not (wrong := verify(path, advance=advance)):
            with Container.open(path) as container:
                seal = read_seal(container, [key] if key else trusted_keys())
            if seal and seal.is_checked and not seal.is_valid:
                wrong = ["the signature"]
    except DamagedFileError as error:
        problem = error.message
    if wrong:
        problem = f"{path} is damaged in {', '.join(wrong)}."
    elif key and not problem and seal is None:
        problem = f"{path} is not signed."
    elif key and seal and not seal.is_checked:
        problem = f"{path} is not signed by key {key.number} but, it says, by {seal.key}."
    return Verdict(
        path=str(path), is_sound=not problem, wrong=wrong, problem=problem, signature=seal
    )


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
    names = [MANIFEST_NAME, SIGNATURE_NAME, *(facts.name for facts in manifest.entries)]
    wrong = layout_faults(container, manifest.launcher.size, names)
    launcher = container.range(0, manifest.launcher.size)
    if checksums_of(launcher, advance).sha256 != manifest.launcher.sha256:
        wrong.insert(0, "launcher")
    if DIRECTORY in wrong:
        return wrong
    for facts in manifest.entries:
        if facts.name not in container.entries:
            wrong.append(f"{facts.name}, which is missing")
            continue
        found = checksums_of(container.chunks(facts.name), advance)
        if found.sha256 != facts.sha256:
            wrong.append(facts.name)
        elif found.crc32 != container.entry(facts.name).crc32:
            wrong.append(f"the header of {facts.name}")
    try:
        is_signature_readable = is_readable(container)
    except DamagedFileError:
        is_signature_readable = False
    wrong += [] if is_signature_readable else [SIGNATURE_NAME]
    if manifest.sidecar:
        wrong += _wrong_beside(container.path, manifest.sidecar, advance)
    unlisted = sorted(container.entries.keys() - set(names))
    return wrong + [f"{name}, which the manifest does not list" for name in unlisted]


def _wrong_beside(solofile: Path, sidecar: Sidecar, advance: Callable[[int], None]) -> list[str]:
    try:
        container = open_sidecar(solofile, sidecar)
    except DamagedFileError as error:
        return [f"the file of weights beside it ({error.message})"]
    with container:
        name, file_name = sidecar.weights.name, container.path.name
        wrong = layout_faults(container, 0, [name])
        if checksums_of(container.chunks(name), advance).sha256 != sidecar.weights.sha256:
            wrong.append(name)
        return [f"{part} in {file_name}" for part in wrong]
