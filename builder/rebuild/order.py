"""What `rebuild` is asked for."""

from dataclasses import dataclass
from pathlib import Path

from builder.errors import SourceError
from builder.files import sha256_of
from runtime.manifest import OriginFile


@dataclass(frozen=True, slots=True)
class RebuildOrder:
    """What is to be made again.

    Args:
        solofile: The file.
        output: Where the new one is kept; None keeps none.
        source: Where its model lies now, as `build` takes it; empty takes the place it came from.
        inputs: Files that went in and lie elsewhere now.
        allows_pickle: Whether a checkpoint's weights may be pickles.
        toolchain: What compiles a kit that is not there yet.
    """

    solofile: Path
    output: Path | None = None
    source: str = ""
    inputs: tuple[Path, ...] = ()
    allows_pickle: bool = False
    toolchain: str = "zig"

    def find_input(self, wanted: OriginFile) -> Path:
        """Return the file with the content that went in, and its name, which headers may tell.

        Raises:
            SourceError: None of the files has it.
        """
        for path in self.inputs:
            if path.name == wanted.name and sha256_of(path) == wanted.sha256:
                return path
        raise SourceError(
            f"{wanted.name} (SHA-256 {wanted.sha256}) went into {self.solofile}, and it is not at "
            "hand.",
            hint="Name it with --input FILE; it must be called like that, too.",
        )
