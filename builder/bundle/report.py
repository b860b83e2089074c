"""What making a bundle tells at its end."""

import msgspec

from builder.console import human_bytes, human_seconds
from builder.report import table


class BundledSolofile(msgspec.Struct, frozen=True, kw_only=True):
    """A solofile in a bundle.

    Args:
        file: Its name.
        name: What the model is called.
        target: What it runs on.
        weights: The file with its weights; empty where they are inside.
    """

    file: str
    name: str
    target: str
    weights: str


class BundleReport(msgspec.Struct, frozen=True, kw_only=True):
    """A finished bundle.

    Args:
        path: The folder.
        tar: The same as one file; empty where nobody asked.
        size: What the folder's files take, in bytes.
        files: How many there are.
        solofiles: The solofiles in it.
        parts: How many parts each file was cut into, by its name.
        key: The number of the key that signs it; empty where none does.
        seconds: How long making it took.
    """

    path: str
    tar: str
    size: int
    files: int
    solofiles: list[BundledSolofile]
    parts: dict[str, int]
    key: str
    seconds: float

    def as_text(self) -> str:
        """Return the report for people."""
        weights = dict.fromkeys(one.weights for one in self.solofiles if one.weights)
        lines = [
            ("Bundle", self.path),
            *([("As one file", self.tar)] if self.tar else []),
            *(("Solofile", f"{one.file}, for {one.target}") for one in self.solofiles),
            *(("Weights", name) for name in weights),
            *(("In parts", f"{name}, {count} of them") for name, count in self.parts.items()),
            ("Size", f"{human_bytes(self.size)} in {self.files} files"),
            ("Signed by", f"key {self.key}" if self.key else "nobody; --sign does"),
            ("Made in", human_seconds(self.seconds)),
            ("Read first", f"{self.path}/README.txt"),
        ]
        return table(lines)
