"""The digests of a bundle: of every file in it, and of what each system needs in one piece."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from builder.bundle.member import Member
from builder.bundle.volumes import SplitFile
from builder.files import sha256_of

SUMS_NAME = "SHA256SUMS"
SYSTEMS_NAME = "systems"


def write_systems(
    folder: Path, members: Sequence[Member], splits: Sequence[SplitFile], sums: Mapping[str, str]
) -> None:
    """Write, for each system, what it needs: digests and names as `sha256sum -c` reads them.

    Args:
        folder: The bundle.
        members: Its solofiles.
        splits: What of it is in parts.
        sums: The digests of the files that are in one piece, by their names.
    """
    whole = {**sums, **{split.name: split.sha256 for split in splits}}
    (folder / SYSTEMS_NAME).mkdir()
    for target in {member.manifest.kit.target for member in members}:
        files = [
            path.name
            for member in members
            if member.manifest.kit.target == target
            for path in member.files
        ]
        lines = [f"{whole[name]}  {name}\n" for name in dict.fromkeys(files)]
        path = folder / SYSTEMS_NAME / f"{target}.sha256"
        path.write_text("".join(lines), encoding="utf-8", newline="\n")


def file_sums(
    folder: Path, known: Mapping[str, str], advance: Callable[[int], None]
) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder by its path in there, in hex.

    Args:
        folder: The folder.
        known: Digests that need not be computed again.
        advance: Told the bytes of each chunk read.
    """
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: known.get(name) or sha256_of(path, advance)
        for name, path in sorted(files.items())
        if path.is_file()
    }


def write_sums(folder: Path, sums: Mapping[str, str]) -> Path:
    """Write the list of all digests as `sha256sum -c` reads it."""
    path = folder / SUMS_NAME
    text = "".join(f"{sha256}  {name}\n" for name, sha256 in sums.items())
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
