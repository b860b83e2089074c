"""The file of weights beside a solofile whose system starts no file that large."""

from pathlib import Path

from runtime.container import Container
from runtime.errors import DamagedFileError
from runtime.manifest import Sidecar

SUFFIX = ".weights"


def sidecar_name(solofile: str) -> str:
    """Return what the file of weights beside a solofile of this name is called."""
    return solofile.removesuffix(".exe") + SUFFIX


def open_sidecar(solofile: Path, sidecar: Sidecar) -> Container:
    """Open the weights that belong to a solofile; either file may have been renamed with the other.

    Args:
        solofile: The executable.
        sidecar: What its manifest says of its weights.

    Raises:
        DamagedFileError: They are not there, cut short, or those of another build.
    """
    names = dict.fromkeys([sidecar_name(solofile.name), sidecar.name])
    found = [path for name in names if (path := solofile.with_name(name)).is_file()]
    for path in found:
        container = Container.open(path)
        if _belongs(container, sidecar):
            return container
        container.__exit__(None, None, None)
    if found:
        raise DamagedFileError(
            f"{found[0]} holds other weights than {solofile} was built with.",
            hint="Copy both files of one build into one folder.",
        )
    raise DamagedFileError(
        f"The weights of {solofile} are missing: there is no {' or '.join(names)} beside it.",
        hint=f"Copy {sidecar.name} into the same folder, and do not rename it alone.",
    )


def _belongs(container: Container, sidecar: Sidecar) -> bool:
    entry = container.entries.get(sidecar.weights.name)
    return entry is not None and (entry.size, entry.crc32) == (sidecar.weights.size, sidecar.crc32)
