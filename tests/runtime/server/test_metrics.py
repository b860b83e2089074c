"""Tests of the metrics' text and of one request's timings."""

import re

import pytest

from runtime.engine.metrics import Metrics
from runtime.engine.sequence import Stats
from runtime.server.metrics import metrics_text
from runtime.server.timings import timings

LINE = re.compile(r'([a-z]+:|tgi_)[a-z_]+(\{[a-z]+="[^"]+"\})? [0-9.e+-]+')


def test_every_line_is_prometheus_text() -> None:
    """Each value stands behind its HELP and TYPE, which come once."""
    now = Metrics(num_running=2, prompt_tokens=30, prompt_s=1.5)
    now.num_finished["stop"] += 3
    now.queue_s.observe(0.3)
    lines = metrics_text(now).splitlines()
    values = [line for line in lines if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in values)
    types = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(set(types)) == len(types)
    names = [re.sub(r"(\{.*)? .*", "", line) for line in values]
    families = [
        name if name in types else re.sub(r"_(bucket|sum|count)$", "", name) for name in names
    ]
    assert set(families) == set(types)
    assert "llamacpp:requests_processing 2" in values
    assert "llamacpp:prompt_tokens_seconds 20" in values
    assert 'solofile:requests_finished_total{reason="stop"} 3' in values
    assert 'solofile:queue_seconds_bucket{le="0.25"} 0' in values
    assert 'solofile:queue_seconds_bucket{le="0.5"} 1' in values
    assert 'solofile:queue_seconds_bucket{le="+Inf"} 1' in values
    assert {"tgi_request_count 5", "tgi_request_success 3"} <= set(values)
    assert 'tgi_request_queue_duration_bucket{le="+Inf"} 1' in values


def test_rates_leave_the_first_token_out() -> None:
    """The first token comes with the prompt, so eleven tokens took ten steps."""
    shown = timings(Stats(30, 10, 11, 0.5, 2.0, 2.5, 1.0))
    assert shown == pytest.approx(
        {
            "cache_n": 10,
            "prompt_n": 20,
            "prompt_ms": 2000,
            "prompt_per_token_ms": 100,
            "prompt_per_second": 10,
            "predicted_n": 11,
            "predicted_ms": 1000,
            "predicted_per_token_ms": 100,
            "predicted_per_second": 10,
            "queue_ms": 500,
            "time_to_first_token_ms": 2500,
        }
    )


def test_a_request_without_tokens_has_rates_of_zero() -> None:
    """What took no time has no rate."""
    shown = timings(Stats(1, 1, 0, 0.0, 0.0, 0.0, 0.0))
    assert {name for name, value in shown.items() if value} == {"cache_n"}


def test_guessed_tokens_are_told_where_there_were_some() -> None:
    """A request with drafts says how many tokens were guessed, and how many rightly."""
    shown = timings(Stats(1, 1, 9, 0.0, 0.0, 0.0, 0.0, drafted_tokens=8, accepted_tokens=5))
    assert (shown["draft_n"], shown["draft_n_accepted"]) == (8, 5)
