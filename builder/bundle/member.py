"""The solofiles of a bundle: made for it, or carried as they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from builder import console
from builder.files import CHUNK_BYTES, require_space
from builder.kit.at_hand import ensure_kit
from builder.make import finish, prepare
from builder.output_path import file_stem
from builder.recipe.job import Job
from builder.sidecar import SharedWeights
from builder.sources.solofile import is_solofile
from runtime.container import Container
from runtime.errors import UsageError
from runtime.manifest import Manifest, read_manifest
from runtime.sidecar import SUFFIX, open_sidecar
from runtime.verify import judge

# What file names hold neither on Windows nor on FAT, and what the list of digests cannot name.
_NOT_PORTABLE = re.compile(r'[\x00-\x1f/\\:*?"<>|]|^ |[. ]$')


@dataclass(frozen=True, slots=True)
class Member:
    """A solofile in the bundle.

    Args:
        path: Where it lies.
        manifest: What it says of itself.
        weights: The file of weights beside it; None where they are inside.
    """

    path: Path
    manifest: Manifest
    weights: Path | None

    @property
    def files(self) -> list[Path]:
        """All that a machine needs to run it, and to check its signature."""
        signature = self.path.with_name(f"{self.path.name}.minisig")
        beside = [signature] if signature.exists() else []
        return [self.path, *([self.weights] if self.weights else []), *beside]


def make_members(jobs: Sequence[Job], folder: Path) -> list[Member]:
    """Make the solofiles of some models; those of one model share one file of weights.

    Args:
        jobs: The models, and what each is to run on.
        folder: Where they go.

    Raises:
        AppError: Whatever failed; nothing is fetched where a kit is missing.
    """
    for job in jobs:
        for target in job.targets:
            ensure_kit(target, toolchain=job.order.toolchain, gpu=job.order.gpu)
    members: list[Member] = []
    for job in jobs:
        order = replace(job.order, output=folder, is_output_folder=True, has_app=False)
        prepared = prepare(order)
        stem = file_stem(order.name or prepared.default_stem)
        _require_portable(stem)
        shared = None
        if len(job.targets) > 1:
            shared = SharedWeights(folder / f"{stem}{SUFFIX}")
        for target in job.targets:
            taken = [path for member in members for path in member.files]
            report = finish(replace(order, target=target), prepared, taken, shared)
            member = _member(Path(report.path))
            if shared:
                shared.facts = member.manifest.sidecar
            members.append(member)
    return members


def carry_members(paths: Sequence[Path], folder: Path) -> list[Member]:
    """Copy finished solofiles, with the weights beside them, after checking every byte.

    Args:
        paths: The solofiles.
        folder: Where they go.

    Raises:
        DamagedFileError: One is not as it was packed.
        DiskError: The disk has not enough room.
        UsageError: Two have the same name, or one has a name that some system does not take.
    """
    # Some systems take two names for one that differ in large letters only.
    files: dict[str, Path] = {}
    for path in paths:
        with console.progress(f"Checking {path.name}", path.stat().st_size) as advance:
            judge(path, advance=advance).require_sound()
        for source in _member(path).files:
            _require_portable(source.name)
            first = files.setdefault(source.name.lower(), source)
            if first.resolve() != source.resolve():
                raise UsageError(
                    f"{first} and {source} have the same name.",
                    hint="Rename one of them, and its weights alike.",
                )
    size = sum(source.stat().st_size for source in files.values())
    require_space(folder, size, purpose="the bundle")
    with console.progress("Copying", size) as advance:
        for source in files.values():
            with source.open("rb") as data, (folder / source.name).open("xb") as copy:
                while chunk := data.read(CHUNK_BYTES):
                    copy.write(chunk)
                    advance(len(chunk))
    members = [_member(folder / path.name) for path in dict.fromkeys(paths)]
    for member in members:
        member.path.chmod(0o755)
    _tell_repeated(members)
    return members


def are_finished(texts: Sequence[str]) -> bool:
    """Say whether sources on the command line are solofiles, all of them."""
    return all(is_solofile(Path(text)) for text in texts)


def _member(path: Path) -> Member:
    with Container.open(path) as container:
        manifest = read_manifest(container)
    if manifest.sidecar is None:
        return Member(path, manifest, None)
    with open_sidecar(path, manifest.sidecar) as beside:
        return Member(path, manifest, beside.path)


def _require_portable(name: str) -> None:
    if _NOT_PORTABLE.search(name):
        raise UsageError(
            f"Not every system takes {name!r} as a file's name.",
            hint="Rename it, and its weights alike.",
        )


def _tell_repeated(members: Sequence[Member]) -> None:
    digests = [member.manifest.weights.sha256 for member in members if not member.weights]
    if len(set(digests)) < len(digests):
        console.info(
            "The same weights are in several of these files, as they are carried unchanged. To "
            "have them once, bundle one of the files with --target."
        )
