"""Ratios, targets, tables and the document."""

import json

import pytest

from bench.agreement import Agreement
from bench.report import Comparison, Results, Spread, compare, table
from bench.runner import Run
from bench.servers import OURS, Sizes
from bench.workloads.workload import Metric, Target, Workload, at_least, at_most

RATE = Metric("speed", "tokens/s", is_rate=True, target=at_least(1.0))
TIME = Metric("wait", "s", is_rate=False, target=at_most(0.9))
SIZES = Sizes(num_clients=2, n_ctx_per_client=512, n_threads=3)


def a_run() -> Run:
    workload = Workload("test", "a test", 2, 512, (RATE, TIME), lambda server, sizes: {})
    ours = [{"speed": speed, "wait": 1.0} for speed in (10.0, 30.0, 20.0)]
    theirs = [{"speed": 10.0, "wait": 2.0}] * 3
    commands = {OURS: ["./it"], "llama-server": ["theirs"]}
    return Run(workload, commands, {OURS: ours, "llama-server": theirs})


def comparison(metric: Metric, ours: list[float], theirs: list[float]) -> Comparison:
    return Comparison("llama-server", metric, Spread(ours), Spread(theirs))


def test_ratio_is_the_median_of_the_pairs() -> None:
    """Not the ratio of the medians: what slows a whole round down cancels out."""
    each = comparison(RATE, [10.0, 100.0, 30.0], [20.0, 50.0, 40.0])
    assert each.ratios.values == [0.5, 2.0, 0.75]
    assert each.ratios.median == 0.75
    assert each.difference == -10.0


@pytest.mark.parametrize(("metric", "expected"), [(RATE, 0.5), (TIME, 2.0)])
def test_times_better_turns_times_around(metric: Metric, expected: float) -> None:
    """Half the rate is worse, half the time is better."""
    assert comparison(metric, [1.0], [2.0]).times_better == expected


@pytest.mark.parametrize(
    ("target", "ours", "theirs", "verdict"),
    [
        (at_least(0.98), 0.98, 1.0, ">= 0.98 met"),
        (at_least(0.98), 0.97, 1.0, ">= 0.98 missed"),
        (at_most(0.9), 0.9, 1.0, "<= 0.9 met"),
        (at_most(0.9), 0.91, 1.0, "<= 0.9 missed"),
        (Target("difference", 60, is_most=True), 260.0, 200.0, "<= +60 met"),
        (Target("difference", 60, is_most=True), 261.0, 200.0, "<= +60 missed"),
        (None, 1.0, 1.0, ""),
    ],
)
def test_verdict_compares_with_the_target(
    target: Target | None, ours: float, theirs: float, verdict: str
) -> None:
    """The bound itself is within."""
    assert comparison(Metric("m", "u", True, target), [ours], [theirs]).verdict == verdict


def test_targets_are_about_llama_server_with_its_defaults() -> None:
    """Beside other servers nothing was promised."""
    assert Comparison("transformers", RATE, Spread([1.0]), Spread([2.0])).verdict == ""


def test_table_has_medians_ranges_and_verdicts() -> None:
    """Every figure of every server stands in it."""
    assert table(a_run(), SIZES).splitlines() == [
        "test: a test",
        "  3 rounds, 3 threads, -c 1024 -np 2; ratio: ours / theirs, median of the pairs",
        "  speed, tokens/s",
        "    solofile                  20 (10 to 30)",
        "    llama-server              10 (10 to 10)               2.00 (1.00 to 3.00) >= 1 met",
        "  wait, s",
        "    solofile                  1 (1 to 1)",
        "    llama-server              2 (2 to 2)                  0.50 (0.50 to 0.50) <= 0.9 met",
    ]


def test_one_round_shows_no_range() -> None:
    """A range of one is none."""
    assert Spread([2.0]).text(".2f") == "2.00"


def test_document_has_every_sample_and_command() -> None:
    """What was measured can be evaluated anew from the file alone."""
    agreement = Agreement("llama-server", "alone", 20, [])
    document = Results({"threads": 3}, [a_run()], [agreement]).document()
    read = json.loads(json.dumps(document))
    assert read["threads"] == 3
    assert read["workloads"]["test"]["samples"][OURS][1] == {"speed": 30.0, "wait": 1.0}
    assert read["workloads"]["test"]["commands"]["llama-server"] == ["theirs"]
    assert [each["ratio"] for each in read["workloads"]["test"]["comparisons"]] == [2.0, 0.5]
    assert read["agreement"][0]["num_answers"] == 20


def test_comparisons_follow_the_metrics() -> None:
    """The plot has the order of the tables."""
    assert [each.metric for each in compare(a_run())] == [RATE, TIME]
