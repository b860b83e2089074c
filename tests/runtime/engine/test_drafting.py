"""Tests of drafting with the real model: the text stays, and copies take fewer batches."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.speculation import SpeculationOptions
from runtime.engine.weights import Weights
from tests.runtime.engine.asking import ask, submit

pytestmark = pytest.mark.usefixtures("binding")

LIST = "\n".join(
    f"{number}. The {colour} {animal} sleeps in the {place}."
    for number, (colour, animal, place) in enumerate(
        [
            ("brown", "fox", "forest"),
            ("grey", "wolf", "valley"),
            ("black", "cat", "kitchen"),
            ("white", "owl", "tower"),
            ("green", "frog", "garden"),
        ],
        1,
    )
)
REPEATING = f"{LIST}\n\nThe same list again:\n\n{LIST[:60]}"


@pytest.fixture
def drafting_engine(gguf: Path) -> Iterator[Engine]:
    """A loaded engine that drafts."""
    yield from _loaded(gguf, SpeculationOptions())


@pytest.fixture
def plain_engine(gguf: Path) -> Iterator[Engine]:
    """A loaded engine that never drafts."""
    yield from _loaded(gguf, SpeculationOptions(spec_type="none"))


def _loaded(gguf: Path, speculation: SpeculationOptions) -> Iterator[Engine]:
    weights = Weights(gguf, 0, gguf.stat().st_size)
    # Attention is added up in the order of the cells, which an earlier request may change, and
    # from 512 cells on in another order for a single token: so each test has a small, new context.
    options = EngineOptions(weights, n_ctx=256, max_running=1, n_threads=1, speculation=speculation)
    engine = Engine.start(options)
    engine.wait_until_loaded()
    yield engine
    engine.stop()


@pytest.mark.parametrize(
    "sampling",
    [
        {"temperature": 0.0},
        {"temperature": 0.8, "seed": 7},
        {"temperature": 0.5, "seed": 3, "repeat_penalty": 1.05, "dry_multiplier": 0.1},
        {"mirostat": 2, "seed": 5},
        {"temperature": 0.0, "grammar": "root ::= [a-zA-Z0-9. \\n]+"},
    ],
)
def test_the_text_is_the_same_as_without(
    drafting_engine: Engine, plain_engine: Engine, sampling: dict[str, object]
) -> None:
    """Greedily, by seed, with penalties, Mirostat or a grammar: drafts change no token."""
    expected = ask(plain_engine, REPEATING, max_tokens=48, **sampling)
    assert ask(drafting_engine, REPEATING, max_tokens=48, **sampling) == expected


def test_a_repeated_text_is_drafted(drafting_engine: Engine, plain_engine: Engine) -> None:
    """Where a text repeats its prompt, most of its tokens were guessed; likelihoods agree."""
    asked = submit(drafting_engine, REPEATING, max_tokens=48, temperature=0, num_top_logprobs=2)
    plain = submit(plain_engine, REPEATING, max_tokens=48, temperature=0, num_top_logprobs=2)
    choices = [choice for delta in asked.deltas() for choice in delta.choices]
    expected = [choice for delta in plain.deltas() for choice in delta.choices]
    stats = asked.finished.stats
    assert stats.completion_tokens == 48
    assert stats.drafted_tokens >= stats.accepted_tokens >= 24
    assert plain.finished.stats.drafted_tokens == 0
    assert len(choices) == len(expected) == 48
    assert choices == expected
