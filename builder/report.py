"""What a build tells at its end."""

import shlex
from collections.abc import Iterable
from pathlib import Path

import msgspec

from builder.bake.baked import BakedPrompt
from builder.console import human_bytes, human_seconds
from builder.quality.perplexity import PerplexityChange
from builder.terms import sentences
from runtime.glibc import system_needed
from runtime.manifest import Origin, Terms
from runtime.parity import Parity


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A finished solofile.

    Args:
        path: Where it lies.
        size: Its size in bytes.
        overhead: What it takes besides the weights, in bytes.
        name: What the model is called.
        quantization: How its weights are stored.
        license: The licence its header or origin names; may be empty.
        target: What it runs on.
        glibc: The lowest glibc it runs on; empty where that does not matter.
        seconds: How long making it took.
        start_seconds: From starting it to the first byte of its answer; None where untested.
        answer: What it answered; None where untested.
        source: What the model was made from, exactly.
        origin: The same for programs, as the manifest has it.
        perplexity: What quantizing did to the model's perplexity; None where nobody asked.
        notes: Sentences about the source, and what of it was not taken over.
        prompts: The prompts that are computed already.
        terms: What the licences inside ask of those who pass it on.
        parity: How alike the converted model and its original are; None where nobody asked.
        app_files: What was made beside it for Finder on macOS.
        sidecar: The file beside it with its weights, counted in `size`; empty where there is none.
    """

    path: str
    size: int
    overhead: int
    name: str
    quantization: str
    license: str
    target: str
    glibc: str
    seconds: float
    start_seconds: float | None
    answer: str | None
    source: str
    origin: Origin
    perplexity: PerplexityChange | None = None
    notes: list[str] = []
    terms: list[Terms] = []
    parity: Parity | None = None
    prompts: list[BakedPrompt] = []
    app_files: list[str] = []
    sidecar: str = ""

    @property
    def command(self) -> str:
        """What a shell in this folder starts it with."""
        path = Path(self.path)
        return shlex.quote(self.path if path.is_absolute() else f"./{path.as_posix()}")

    def as_text(self) -> str:
        """Return the report for people."""
        return table(self.lines())

    def as_line(self) -> str:
        """Return what people want to know of one of several solofiles of a model."""
        tested = "not tested here"
        if self.start_seconds is not None:
            tested = f"first word after {human_seconds(self.start_seconds)}"
        overhead = f"{human_bytes(self.overhead)} more than the weights"
        return f"{self.path}: {human_bytes(self.size)}, {overhead}; {tested}"

    def lines(self) -> list[tuple[str, str]]:
        """Return the report as labels and what stands behind them."""
        runs_on = f"{self.target}, {system_needed(self.glibc)}" if self.glibc else self.target
        lines = [
            ("Solofile", self.path),
            *([("With its weights", self.sidecar)] if self.sidecar else []),
            ("Model", " ".join(filter(None, [self.name, self.quantization, self.license]))),
            (
                "Size",
                f"{human_bytes(self.size)}, {human_bytes(self.overhead)} more than the weights",
            ),
            *(("Baked", str(prompt)) for prompt in self.prompts),
            *(("For Finder", path) for path in self.app_files),
            ("Runs on", runs_on),
            ("Made in", human_seconds(self.seconds)),
        ]
        if self.perplexity:
            lines.append(("Perplexity", str(self.perplexity)))
        if self.parity:
            lines.append(("Like the original", str(self.parity)))
        if self.start_seconds is not None:
            lines.append(("First word after", human_seconds(self.start_seconds)))
        lines += [("Licence", sentence) for sentence in sentences(self.terms)]
        lines.append(("Run it", self.command))
        return lines


def table(lines: Iterable[tuple[str, str]]) -> str:
    """Return labels and what stands behind them, each on a line of its own."""
    return "\n".join(f"{label + ':':18}{text}" for label, text in lines)
