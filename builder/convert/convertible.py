"""What the converter can be given: a checkpoint, or an adapter and the model it belongs to."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Convertible:
    """Something to convert, found whole.

    Args:
        script: Which of llama.cpp's scripts does it.
        folder: Where it lies.
        name: What it is called.
        files: What the result depends on, inside the folder and elsewhere.
        num_elements: How many numbers its weights are; 0 where that is not known.
        architecture: What its configuration calls it; may be empty.
        outtype: What its matrices become.
        flags: What else the script is told.
        base_config: The configuration of the model that an adapter belongs to.
    """

    script: str
    folder: Path
    name: str
    files: list[Path]
    num_elements: int
    architecture: str
    outtype: str
    flags: list[str] = field(default_factory=list)
    base_config: Path | None = None
