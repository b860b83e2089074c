"""Perplexity: how surprised a model is by a text, computed as llama.cpp's perplexity tool does."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec

from builder.child import run_chunks
from builder.file_range import FileRange
from builder.native.llamacpp import expose_binding
from builder.quality.chunk_job import ChunkJob
from builder.quality.text_file import read_text
from builder.quantize.options import QuantizeOptions

# The beginning of a novel of 1803, see docs/quantize.md.
TEXT = Path(__file__).with_name("text.txt")
_PROCESS = "builder.quality.perplexity_process"


class Perplexity(msgspec.Struct, frozen=True):
    """How surprised a model is by a text.

    Args:
        losses: The negative log likelihood of each token that counts.
    """

    losses: list[float]

    @property
    def value(self) -> float:
        """Among how many equally likely tokens it guesses, on average."""
        return math.exp(statistics.fmean(self.losses))

    @property
    def error(self) -> float:
        """The value's standard error, by how much tokens differ."""
        return self.value * _standard_error(self.losses)


class PerplexityChange(msgspec.Struct, frozen=True):
    """What became of a model's perplexity.

    Args:
        before: Its perplexity.
        after: The new one.
        percent: The difference in percent of the old one.
        percent_error: The standard error of that; smaller than those of both, since all tokens
            are the same.
    """

    before: float
    after: float
    percent: float
    percent_error: float

    @classmethod
    def of(cls, before: Perplexity, after: Perplexity) -> "PerplexityChange":
        """Compare two measurements on the same text."""
        ratio = after.value / before.value
        steps = [new - old for old, new in zip(before.losses, after.losses, strict=True)]
        return cls(
            before=round(before.value, 4),
            after=round(after.value, 4),
            percent=round(100 * (ratio - 1), 2),
            percent_error=round(100 * ratio * _standard_error(steps), 2),
        )

    def __str__(self) -> str:
        """Return it for people: `21.31 -> 22.05 (+3.5 % ± 0.4 %)`."""
        return (
            f"{self.before:.2f} -> {self.after:.2f} "
            f"({self.percent:+.1f} % ± {self.percent_error:.1f} %)"
        )


def measure_perplexity(
    parts: Sequence[Path | FileRange],
    text: Path = TEXT,
    *,
    name: str,
    max_chunks: int = 0,
    n_threads: int = 0,
) -> Perplexity:
    """Measure how surprised a model is by a text.

    Each chunk of 512 tokens is read on its own, and the tokens of its second half count.

    Args:
        parts: The model, or all of its parts in order.
        text: The text.
        name: What the model is called in the commentary.
        max_chunks: How many chunks of the text at most; 0 takes all.
        n_threads: How many threads; 0 takes all physical cores.

    Raises:
        ToolError: The model cannot be loaded, generates no text or computes no numbers, or the text
            is too short.
        UsageError: The text is none.
    """
    job = ChunkJob(
        parts=[FileRange.of(part).weights() for part in parts],
        text=read_text(text),
        max_chunks=max_chunks,
        n_threads=n_threads,
    )
    expose_binding()
    label = f"Measuring the perplexity of {name}"
    messages = run_chunks(_PROCESS, job, label=label, what="Measuring the perplexity failed")
    return Perplexity([loss for message in messages for loss in message.losses])


def change_of(
    parts: Sequence[Path], quantized: Path, options: QuantizeOptions
) -> PerplexityChange | None:
    """Measure what quantizing did to a model, on the bundled text.

    Args:
        parts: The model, or all of its parts in order.
        quantized: What it became.
        options: How, and whether this is asked for.

    Raises:
        AppError: What `measure_perplexity` raises.
    """
    if not options.measures_perplexity:
        return None
    before, after = (
        measure_perplexity(files, TEXT, name=name, n_threads=options.n_threads)
        for files, name in (
            (parts, "the original"), ([quantized], f"its {options.quantization.name}")
        )
    )  # fmt: skip
    return PerplexityChange.of(before, after)


def _standard_error(values: Sequence[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values))
