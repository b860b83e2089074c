"""From samples to ratios, tables, and the document of a whole run."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from bench.agreement import Agreement
from bench.runner import Run
from bench.servers import OURS, Sizes
from bench.workloads.workload import Metric


@dataclass(frozen=True, slots=True)
class Spread:
    """The rounds of one figure."""

    values: list[float]

    @property
    def median(self) -> float:
        """The median round."""
        return statistics.median(self.values)

    def text(self, form: str) -> str:
        """Return the median and the range, each in this format."""
        if len(self.values) == 1:
            return f"{self.median:{form}}"
        return f"{self.median:{form}} ({min(self.values):{form}} to {max(self.values):{form}})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of ours beside another server's, round by round."""

    other: str
    metric: Metric
    ours: Spread
    theirs: Spread

    @property
    def ratios(self) -> Spread:
        """Ours divided by theirs, for each pair of rounds."""
        pairs = zip(self.ours.values, self.theirs.values, strict=True)
        return Spread([one / other for one, other in pairs])

    @property
    def difference(self) -> float:
        """The median pair's ours less theirs."""
        pairs = zip(self.ours.values, self.theirs.values, strict=True)
        return statistics.median(one - other for one, other in pairs)

    @property
    def times_better(self) -> float:
        """How many times ours is better; below 1 it is worse."""
        ratio = self.ratios.median
        return ratio if self.metric.is_rate else 1 / ratio

    @property
    def verdict(self) -> str:
        """The target beside llama-server as its defaults are, and whether it is met."""
        target = self.metric.target
        if target is None or self.other != "llama-server":
            return ""
        is_met = target.is_met(ratio=self.ratios.median, difference=self.difference)
        return f"{target.text} {'met' if is_met else 'missed'}"


def compare(run: Run) -> list[Comparison]:
    """Return every figure of ours beside every other server's, in the order of the figures."""
    return [
        Comparison(
            other,
            metric,
            Spread([sample[metric.name] for sample in run.samples[OURS]]),
            Spread([sample[metric.name] for sample in samples]),
        )
        for metric in run.workload.metrics
        for other, samples in run.samples.items()
        if other != OURS
    ]


def table(run: Run, sizes: Sizes) -> str:
    """Return a run as a table for the terminal."""
    rounds = len(run.samples[OURS])
    lines = [
        f"{run.workload.name}: {run.workload.summary}",
        (
            f"  {rounds} round{'s' if rounds > 1 else ''}, {sizes.n_threads} threads, "
            f"-c {sizes.n_ctx} -np {sizes.num_clients}; ratio: ours / theirs, median of the pairs"
        ),
    ]
    compared = compare(run)
    for metric in run.workload.metrics:
        ours = Spread([sample[metric.name] for sample in run.samples[OURS]])
        lines.append(f"  {metric.name}, {metric.unit}")
        lines.append(f"    {OURS:26}{ours.text('.3g')}")
        for each in compared:
            if each.metric is metric:
                row = f"    {each.other:26}{each.theirs.text('.3g'):28}{each.ratios.text('.2f')}"
                lines.append(f"{row:78}{each.verdict}".rstrip())
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Results:
    """Everything one `bench` gave.

    Args:
        facts: What it was measured on and with.
        runs: The workloads that give figures.
        agreements: What comparing tokens gave.
    """

    facts: dict[str, Any]
    runs: list[Run] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)

    def titled(self) -> list[tuple[str, Comparison]]:
        """Return all comparisons, each with its workload's name."""
        return [(run.workload.name, each) for run in self.runs for each in compare(run)]

    def document(self) -> dict[str, Any]:
        """Return what `bench.json` holds: every sample, the ratios, and the facts."""
        workloads = {
            run.workload.name: {
                "summary": run.workload.summary,
                "commands": run.commands,
                "samples": run.samples,
                "comparisons": [_as_json(each) for each in compare(run)],
            }
            for run in self.runs
        }
        agreements = [each.as_json() for each in self.agreements]
        return self.facts | {"workloads": workloads, "agreement": agreements}


def _as_json(comparison: Comparison) -> dict[str, Any]:
    ratios = comparison.ratios
    return {
        "metric": comparison.metric.name,
        "unit": comparison.metric.unit,
        "is_rate": comparison.metric.is_rate,
        "other": comparison.other,
        "ratio": ratios.median,
        "ratios": ratios.values,
        "difference": comparison.difference,
        "target": comparison.verdict,
    }
