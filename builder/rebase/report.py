"""What `rebase` tells at its end."""

from typing import Literal

import msgspec

from builder.bake.baked import BakedPrompt
from builder.console import human_bytes, human_seconds
from builder.report import table

Method = Literal["in place", "cloned", "copied", "unchanged"]
_SENTENCES = {
    "in place": "changed where it lies",
    "cloned": "a new file that shares its blocks with the old one",
    "copied": "copied into a new file",
    "unchanged": "it is like that already",
}


class RebaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """A rebased solofile.

    Args:
        path: Where it lies.
        method: How it was written.
        size: Its size in bytes.
        written: How many bytes of it were written; the file system shares or keeps the others.
        changed: The parts that are others now, by what `verify` calls them.
        prompts: The prompts that are computed already.
        notes: Sentences on what follows from that.
        target: What it runs on.
        solofile: The version of its runtime.
        seconds: How long it took.
        start_seconds: From starting it to the first byte of its answer; None where untested.
        answer: What it answered; None where untested.
    """

    path: str
    method: Method
    size: int
    written: int
    changed: list[str]
    prompts: list[BakedPrompt]
    notes: list[str]
    target: str
    solofile: str
    seconds: float
    start_seconds: float | None = None
    answer: str | None = None

    def as_text(self) -> str:
        """Return the report for people."""
        written = f"{human_bytes(self.written)} of {human_bytes(self.size)}"
        lines = [
            ("Solofile", self.path),
            ("Changed", ", ".join(self.changed) or "nothing"),
            ("Written", f"{written}, {_SENTENCES[self.method]}"),
            *(("Baked", str(prompt)) for prompt in self.prompts),
            ("Runtime", f"solofile {self.solofile} for {self.target}"),
            ("Made in", human_seconds(self.seconds)),
        ]
        if self.start_seconds is not None:
            lines.append(("First word after", human_seconds(self.start_seconds)))
        return table([*lines, *(("Note", note) for note in self.notes)])
