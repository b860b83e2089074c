"""What workloads compute from answers."""

import pytest

from bench.client import Answer
from bench.prompts import text
from bench.workloads.long_prompt import gaps_between
from bench.workloads.together import median_first_text_s, tokens_per_s


def answer(sent: float, first: float, ended: float, num_tokens: int) -> Answer:
    return Answer(sent, [first, ended], ended, "", num_tokens, 0, [], {})


def test_throughput_runs_from_the_first_request_to_the_last_end() -> None:
    """Clients that are done early do not shorten it."""
    answers = [answer(1.0, 2.0, 3.0, 10), answer(1.5, 4.0, 6.0, 20)]
    assert tokens_per_s(answers) == pytest.approx(30 / 5.0)
    assert median_first_text_s(answers) == pytest.approx((1.0 + 2.5) / 2)


def test_gaps_are_those_that_touch_the_time_between() -> None:
    """The gap in which the long prompt arrives counts whole, and so does the last one."""
    arrivals = [0.0, 1.0, 3.0, 4.0, 9.0, 10.0]
    assert gaps_between(arrivals, 2.0, 5.0) == [2.0, 1.0, 5.0]


def test_prompts_are_the_same_in_every_run_and_begin_differently() -> None:
    """Otherwise servers could share them, or meet different ones."""
    assert text(1, 20) == text(1, 20)
    beginnings = {text(seed, 20).split()[0] + text(seed, 20).split()[1] for seed in range(20)}
    assert len(beginnings) > 15
