"""Weights in a file of their own, beside a solofile whose system starts no file that large."""

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.container import Container
from runtime.manifest import EntryFacts, Sidecar
from runtime.sidecar import SUFFIX, sidecar_name


@dataclass(frozen=True, slots=True)
class SidecarFile:
    """Where the weights are written.

    Args:
        path: A file nobody else uses yet.
        name: What it is called in the end.
    """

    path: Path
    name: str

    def facts(self, weights: EntryFacts) -> Sidecar:
        """Return what the manifest says of the finished file."""
        with Container.open(self.path) as container:
            crc32 = container.entry(weights.name).crc32
        return Sidecar(name=self.name, weights=weights, crc32=crc32)


def sidecar_path(solofile: Path) -> Path:
    """Return where the weights of a solofile lie if they lie beside it."""
    return solofile.with_name(sidecar_name(solofile.name))


@dataclass(slots=True)
class SharedWeights:
    """One file of weights beside the solofiles of several systems.

    Args:
        path: The file.
        facts: What each manifest says of it; None until the first solofile is written with it.
    """

    path: Path
    facts: Sidecar | None = None


@contextmanager
def sidecar_part(
    part: Path, solofile: Path, shared: SharedWeights | None = None
) -> Iterator[SidecarFile | Sidecar]:
    """Give a temporary file for weights, which takes its name only if the block succeeds.

    It is called such that a solofile under its own temporary name finds it. What killed runs left
    is removed first. Weights that are shared and written already are given as their facts.

    Args:
        part: The solofile's temporary name.
        solofile: Its name in the end.
        shared: The file to which it adds no other; None for one of its own.
    """
    if shared and shared.facts:
        yield shared.facts
        return
    for left in solofile.parent.glob(f".{glob.escape(solofile.name)}.????????.part{SUFFIX}"):
        if not left.with_name(left.name.removesuffix(SUFFIX)).exists():
            left.unlink(missing_ok=True)
    final = shared.path if shared else sidecar_path(solofile)
    temporary = sidecar_path(part)
    try:
        yield SidecarFile(temporary, final.name)
        temporary.replace(final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
