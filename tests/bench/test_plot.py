"""The picture: well-formed, with bars on the right side of 1."""

from xml.etree import ElementTree

import pytest

from bench.plot import BETTER, LABEL_WIDTH, MARGIN, WIDTH, WORSE, ratio_plot
from bench.report import Comparison, Spread
from bench.workloads.workload import Metric

MIDDLE = (LABEL_WIDTH + WIDTH - MARGIN) / 2


def bars(*comparisons: Comparison) -> list[dict[str, str]]:
    root = ElementTree.fromstring(ratio_plot([("work", each) for each in comparisons]))
    # The first rectangle is the background.
    return [rect.attrib for rect in root.iter("{http://www.w3.org/2000/svg}rect")][1:]


def rate(ours: float, theirs: float) -> Comparison:
    metric = Metric("speed <fast>", "tokens/s", is_rate=True)
    return Comparison("other & co", metric, Spread([ours]), Spread([theirs]))


def test_better_goes_right_and_worse_left() -> None:
    """Bars begin or end at 1, which is in the middle."""
    better, worse = bars(rate(2.0, 1.0), rate(1.0, 2.0))
    assert (better["fill"], worse["fill"]) == (BETTER, WORSE)
    assert float(better["x"]) == pytest.approx(MIDDLE, abs=0.1)
    assert float(worse["x"]) + float(worse["width"]) == pytest.approx(MIDDLE, abs=0.1)


def test_scale_is_logarithmic_and_bars_stay_inside() -> None:
    """Four times is twice as far as two times; what is off the scale is cut at its end."""
    two, four = bars(rate(2.0, 1.0), rate(4.0, 1.0))
    assert float(four["width"]) == pytest.approx(2 * float(two["width"]), abs=0.2)
    (huge,) = bars(rate(1000.0, 1.0))
    assert float(huge["x"]) + float(huge["width"]) == pytest.approx(WIDTH - MARGIN, abs=0.2)


def test_plot_without_comparisons_is_still_a_picture() -> None:
    """A run without another server has nothing to draw."""
    assert bars() == []
