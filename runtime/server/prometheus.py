"""Prometheus' text format."""

from runtime.engine.metrics import Histogram


def metric(prefix: str, kind: str, name: str, meaning: str, value: float) -> str:
    """Return a counter's or a gauge's lines."""
    return f"{head(prefix + name, kind, meaning)}{prefix}{name} {value:.10g}\n"


def histogram(prefix: str, name: str, meaning: str, values: Histogram) -> str:
    """Return a histogram's lines."""
    whole = prefix + name
    text = head(whole, "histogram", meaning)
    below = 0
    for bound, count in zip([*values.bounds, "+Inf"], values.counts, strict=True):
        below += count
        shown = bound if isinstance(bound, str) else f"{bound:g}"
        text += f'{whole}_bucket{{le="{shown}"}} {below}\n'
    return f"{text}{whole}_sum {values.total:.10g}\n{whole}_count {below}\n"


def head(name: str, kind: str, meaning: str) -> str:
    """Return the lines that come before a family's values."""
    return f"# HELP {name} {meaning}.\n# TYPE {name} {kind}\n"
