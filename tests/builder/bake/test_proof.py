"""Tests of the proof that a saved state is all a model needs, with tiny models of every kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.bake.proof import goes_on_alike
from runtime.engine.model_runner import ModelRunner
from runtime.engine.types import BatchSlice
from tests.runtime.engine.tiny_models import N_VOCAB, WRITERS
from tests.runtime.engine.tiny_runner import tiny_runner

PREFIX = [number * 7 % N_VOCAB for number in range(60)]

pytestmark = pytest.mark.usefixtures("binding")


@pytest.fixture(params=WRITERS)
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModelRunner]:
    with tiny_runner(WRITERS[request.param], tmp_path) as runner:
        yield runner


def _state(runner: ModelRunner, tokens: list[int]) -> memoryview:
    runner.decode([BatchSlice(0, 0, tokens, False)])
    state = runner.save_state(0, 1 << 20)
    assert state is not None
    return state


def test_every_kind_goes_on_alike(runner: ModelRunner) -> None:
    """And leaves the memory empty, so that the next prompt can be baked."""
    for tokens in (PREFIX, PREFIX[::-1]):
        assert goes_on_alike(runner, tokens, _state(runner, tokens))


def test_another_state_is_noticed(runner: ModelRunner) -> None:
    """One of another prompt, and one that is cut short."""
    other = _state(runner, PREFIX[::-1])
    runner.cut(0, 0)
    _state(runner, PREFIX)
    assert not goes_on_alike(runner, PREFIX, other)
    state = _state(runner, PREFIX)
    assert not goes_on_alike(runner, PREFIX, state[:-8])
