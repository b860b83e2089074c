"""What the builder prints, and where."""

import json

import pytest

from builder import console
from builder.bake.baked import BakedPrompt


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (98_362_432, "98.4 MB"),
        (4_294_967_296, "4.3 GB"),
        (2_500_000_000_000, "2.5 TB"),
    ],
)
def test_human_bytes(size: int, text: str) -> None:
    """Sizes are told in powers of 1000, as shops do."""
    assert console.human_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (4.25, "4.2 s"), (60, "1 min 0 s"), (754.9, "12 min 34 s")],
)
def test_human_seconds(seconds: float, text: str) -> None:
    """Durations are told in minutes and seconds."""
    assert console.human_seconds(seconds) == text


def test_only_results_are_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is no answer goes to stderr."""
    console.result("answer")
    console.info("going on")
    console.warning("careful")
    console.error("it failed", "do this")
    printed = capsys.readouterr()
    assert printed.out == "answer\n"
    assert printed.err == "going on\nWarning: careful\nError: it failed\ndo this\n"


def test_answers_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """They are JSON that people can read, too; what is no number is null."""
    console.result_json({"sizes": [1, float("nan")], "made": BakedPrompt(7, 9)})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"sizes": [1, None], "made": {"tokens": 7, "size": 9}}
    assert '\n  "made": {\n    "tokens": 7,' in printed


def test_progress_off_a_terminal_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """In a log nothing moves: a step begins and ends."""
    with console.progress("Packing", 100) as advance:
        advance(50)
        advance(50)
    assert capsys.readouterr().err == "Packing ...\nPacking: done in 0.0 s\n"


def test_progress_on_a_terminal_moves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person sees how far it is and how fast."""
    monkeypatch.setattr(console, "is_terminal", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with console.progress("Packing", 2_000_000) as advance:
        advance(1_000_000)
        advance(1_000_000)
    printed = capsys.readouterr().err
    assert "Packing" in printed
    assert "100%" in printed
    assert "/s" in printed
