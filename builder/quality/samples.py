"""Short texts in several languages, prose and code, on which models are compared."""

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).with_name("samples")


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, by the name of its language."""

    name: str
    text: str


def read_samples() -> list[Sample]:
    """Return the bundled texts, written for this purpose."""
    return [
        Sample(path.stem, path.read_text(encoding="utf-8").rstrip("\n"))
        for path in sorted(_FOLDER.glob("*.txt"))
    ]
