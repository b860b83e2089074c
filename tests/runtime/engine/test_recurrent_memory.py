"""Tests of sharing with a real model whose memory cannot be cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.engine.engine import EngineOptions, load_model
from runtime.engine.model import Weights
from runtime.engine.model_runner import ModelRunner
from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.scheduler import Scheduler
from runtime.engine.sequence import GenerationRequest, Sequence
from tests.runtime.engine.tiny_mamba import N_VOCAB, write_tiny_mamba

PREFIX = [number * 7 % N_VOCAB for number in range(60)]


@pytest.fixture
def runner(binding: None, tmp_path: Path) -> Iterator[ModelRunner]:
    path = tmp_path / "mamba.gguf"
    write_tiny_mamba(path)
    weights = Weights(path, 0, path.stat().st_size)
    model, runner = load_model(EngineOptions(weights, n_ctx=1024, max_running=4))
    yield runner
    runner.close()
    model.close()


def _run(runner: ModelRunner, scheduler: Scheduler, prompts: list[list[int]]) -> list[Sequence]:
    """Generate ten tokens greedily for prompts that arrive together."""
    sequences = [Sequence(GenerationRequest(prompt), lambda _: None) for prompt in prompts]
    sampler = runner.new_sampler(SamplingParams(temperature=0), [])
    for sequence in sequences:
        scheduler.add(sequence)
    while scheduler.has_work:
        works = scheduler.schedule()
        runner.decode([work.slice for work in works])
        scheduler.advance(works)
        for index, work in enumerate(works):
            if work.slice.wants_logits:
                work.sequence.tokens.append(runner.sample(sampler, index))
                if work.sequence.num_completion_tokens == 10:
                    scheduler.remove(work.sequence)
    sampler.close()
    return sequences


def _scheduler(runner: ModelRunner) -> Scheduler:
    return Scheduler(runner, PrefixCache(runner), max_running=4)


def test_requests_that_arrive_together_copy_the_state_where_they_part(runner: ModelRunner) -> None:
    """A recurrent state is computed once for a common prefix, and each answer is its own."""
    assert not runner.can_cut_memory
    prompts = [PREFIX + [number] * (number + 2) for number in range(4)]
    together = _run(runner, _scheduler(runner), prompts)
    assert [sequence.num_cached_tokens for sequence in together] == [0, 60, 60, 60]
    for number in range(runner.n_seq_max):
        runner.cut(number, 0)
    for prompt, sequence in zip(prompts, together, strict=True):
        alone = _run(runner, _scheduler(runner), [prompt])[0]
        for number in range(runner.n_seq_max):
            runner.cut(number, 0)
        assert alone.num_cached_tokens == 0
        assert alone.tokens == sequence.tokens
    assert len({tuple(sequence.tokens[-10:]) for sequence in together}) > 1


def test_a_chat_continues_and_a_changed_one_starts_again(runner: ModelRunner) -> None:
    """A finished sequence serves a prompt that contains all of it, and no other."""
    scheduler = _scheduler(runner)
    first = _run(runner, scheduler, [PREFIX])[0]
    changed = _run(runner, scheduler, [[*PREFIX[:-1], 1, 2]])[0]
    assert changed.num_cached_tokens == 0
    second = _run(runner, scheduler, [[*first.tokens, 5, 6]])[0]
    assert second.num_cached_tokens == len(first.tokens) - 1
