"""Tests of states of a sliding window, with tiny models."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.engine.model_runner import ModelRunner
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.types import BatchSlice
from tests.runtime.engine.tiny_models import N_SWA, N_VOCAB, write_sliding, write_sliding_mostly
from tests.runtime.engine.tiny_runner import tiny_runner

TOKENS = [number * 11 % N_VOCAB for number in range(5 * N_SWA + 3)]
PLENTY = 1 << 20

pytestmark = pytest.mark.usefixtures("binding")


@pytest.fixture(params=[write_sliding, write_sliding_mostly])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModelRunner]:
    with tiny_runner(request.param, tmp_path) as runner:
        yield runner


def _state(runner: ModelRunner, tokens: list[int]) -> memoryview:
    """Return a state, and leave an empty memory."""
    runner.decode([BatchSlice(0, 0, tokens, False)])
    state = runner.save_state(0, PLENTY)
    assert state is not None
    runner.cut(0, 0)
    return state


def _next(runner: ModelRunner, seq_id: int, start: int) -> Choice:
    runner.decode([BatchSlice(seq_id, start, [5], True)])
    return runner.choice(0, 5, 8)


def _assert_close(left: Choice, right: Choice) -> None:
    """Allow for rounding, as batches of other sizes were computed."""
    expected = {one.token: one.logprob for one in right.top}
    found = {one.token: one.logprob for one in left.top if one.token in expected}
    assert len(found) >= len(expected) - 2
    assert found == pytest.approx({token: expected[token] for token in found}, abs=0.05)


@pytest.mark.parametrize("length", [1, N_SWA - 1, N_SWA, N_SWA + 1, 3 * N_SWA, len(TOKENS)])
def test_every_beginning_of_what_is_restored_is_there(runner: ModelRunner, length: int) -> None:
    """Cut anywhere, it goes on as if no more had ever been computed."""
    state = _state(runner, TOKENS[:length])
    for cut in sorted({1, length // 2, length - N_SWA, length} & set(range(1, length + 1))):
        runner.decode([BatchSlice(0, 0, TOKENS[:cut], False)])
        expected = _next(runner, 0, cut)
        runner.cut(0, 0)
        assert runner.load_state(0, state)
        runner.cut(0, cut)
        _assert_close(_next(runner, 0, cut), expected)
        runner.cut(0, 0)


def test_a_restored_sequence_keeps_its_cells_beside_others(runner: ModelRunner) -> None:
    """What others compute takes no cell of it, and what it shares is whole."""
    state = _state(runner, TOKENS)
    runner.decode([BatchSlice(0, 0, TOKENS[:20], False)])
    expected = _next(runner, 0, 20)
    runner.cut(0, 0)
    assert runner.load_state(3, state)
    runner.decode([BatchSlice(1, 0, [7] * 60, False)])
    assert runner.load_state(2, state)
    runner.copy_prefix(3, 4, 20)
    runner.cut(3, 0)
    _assert_close(_next(runner, 4, 20), expected)


def test_too_large_a_state_is_none(runner: ModelRunner) -> None:
    """As large as it is, it is given."""
    state = _state(runner, TOKENS)
    runner.decode([BatchSlice(0, 0, TOKENS, False)])
    assert runner.save_state(0, len(state) - 1) is None
    again = runner.save_state(0, len(state))
    assert again is not None
    assert len(again) == len(state)


def test_a_part_of_a_state_is_refused(runner: ModelRunner) -> None:
    """Cut short anywhere, nothing of it is left in memory."""
    state = _state(runner, TOKENS)
    for size in (0, 7, 100, len(state) // 2, len(state) - 1):
        assert not runner.load_state(0, state[:size])
        assert runner.load_state(0, state)
        runner.cut(0, 0)
