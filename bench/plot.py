"""A picture of a run: one bar for each figure, how many times ours is better, as SVG."""

import math
from html import escape

from bench.report import Comparison

WIDTH = 860
LABEL_WIDTH = 400
ROW_HEIGHT = 18
MARGIN = 16
HEAD_HEIGHT = 44
# Bars longer than this many times are cut.
MIN_SPAN = 2.0
MAX_SPAN = 64.0
BETTER, WORSE = "#3a7d5d", "#b5533c"


def ratio_plot(titled: list[tuple[str, Comparison]]) -> str:
    """Return an SVG of bars that begin at 1 on a logarithmic scale, to the right where ours wins.

    Args:
        titled: Each comparison with the name of its workload.
    """
    values = [comparison.times_better for _, comparison in titled]
    span = min(MAX_SPAN, max([MIN_SPAN, *(max(value, 1 / value) for value in values)]))
    span = 2.0 ** math.ceil(math.log2(span))
    height = HEAD_HEIGHT + ROW_HEIGHT * len(titled) + MARGIN
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="11">'
        ),
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(MARGIN, 16, "How many times the solofile is better (left of 1: worse)"),
        *_grid(span, height),
    ]
    for row, (title, comparison) in enumerate(titled):
        parts += _row(HEAD_HEIGHT + row * ROW_HEIGHT, title, comparison, span)
    return "\n".join([*parts, "</svg>\n"])


def _grid(span: float, height: int) -> list[str]:
    steps = round(math.log2(span))
    parts = []
    for power in range(-steps, steps + 1):
        x = _x(2.0**power, span)
        label = f"{2**power}" if power >= 0 else f"1/{2**-power}"
        colour = "#444" if power == 0 else "#ddd"
        parts.append(
            f'<line x1="{x:.1f}" y1="{HEAD_HEIGHT - 6}" x2="{x:.1f}" y2="{height - MARGIN}" '
            f'stroke="{colour}"/>'
        )
        parts.append(_text(x, HEAD_HEIGHT - 10, label, anchor="middle"))
    return parts


def _row(top: int, title: str, comparison: Comparison, span: float) -> list[str]:
    value = comparison.times_better
    one, end = _x(1.0, span), _x(value, span)
    colour = BETTER if value >= 1 else WORSE
    baseline = top + ROW_HEIGHT - 6
    name = f"{title}: {comparison.metric.name}, {comparison.other}"
    return [
        _text(LABEL_WIDTH - 44, baseline, name, anchor="end"),
        _text(LABEL_WIDTH - 8, baseline, f"{value:.2f}", anchor="end"),
        (
            f'<rect x="{min(one, end):.1f}" y="{top + 3}" width="{abs(end - one):.1f}" '
            f'height="{ROW_HEIGHT - 6}" fill="{colour}"/>'
        ),
    ]


def _x(value: float, span: float) -> float:
    """Return where a value lies: 1 in the middle of the plot, the span at its ends."""
    middle = (LABEL_WIDTH + WIDTH - MARGIN) / 2
    half = (WIDTH - MARGIN - LABEL_WIDTH) / 2
    position = math.log2(min(max(value, 1 / span), span)) / math.log2(span)
    return middle + half * position


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
