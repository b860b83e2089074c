"""Tests of sharing with real models of every kind of memory: no answer may depend on it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.engine.adapters import NO_ADAPTERS
from runtime.engine.baked_prompt import BakedPrompt
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.model_runner import ModelRunner
from runtime.engine.pins import Pins
from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.prompt_cache import PromptCache, PromptCacheOptions, prompt_key
from runtime.engine.prompt_file import PromptFile
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.scheduler import Scheduler
from runtime.engine.sequence import GenerationRequest, Sequence
from runtime.engine.types import BatchSlice
from runtime.engine.weights import Weights
from tests.runtime.engine.tiny_models import N_VOCAB, WRITERS

PREFIX = [number * 7 % N_VOCAB for number in range(60)]
ANSWER_TOKENS = 10

pytestmark = pytest.mark.usefixtures("binding")


@dataclass
class Tiny:
    """A tiny model in two contexts: one for the scheduler, one that computes each answer afresh."""

    runner: ModelRunner
    fresh: ModelRunner

    def scheduler(self) -> Scheduler:
        for number in range(self.runner.n_seq_max):
            self.runner.cut(number, 0)
        return Scheduler(self.runner, PrefixCache(self.runner), max_running=4)

    def with_prompts(self, options: PromptCacheOptions) -> tuple[Scheduler, PromptCache]:
        """Return what a process begins with: an empty memory and the files there are."""
        for number in range(self.runner.n_seq_max):
            self.runner.cut(number, 0)
        cache = PrefixCache(self.runner)
        prompts = PromptCache(options, self.runner, cache)
        prompts.open()
        return Scheduler(self.runner, cache, max_running=4), prompts

    def run(self, scheduler: Scheduler, prompts: list[list[int]]) -> list[Sequence]:
        """Answer prompts that arrive together, greedily."""
        sequences = [Sequence(GenerationRequest(prompt), lambda _: None) for prompt in prompts]
        sampler = self.runner.new_sampler(SamplingParams(temperature=0), [])
        for sequence in sequences:
            scheduler.add(sequence)
        while scheduler.has_work:
            works = scheduler.schedule()
            self.runner.decode([work.slice for work in works])
            scheduler.advance(works)
            for index, work in enumerate(works):
                if work.slice.wants_logits:
                    work.sequence.tokens.append(self.runner.sample(sampler, index))
                    if work.sequence.num_completion_tokens == ANSWER_TOKENS:
                        scheduler.remove(work.sequence)
        sampler.close()
        return sequences

    def expected(self, prompt: list[int]) -> list[int]:
        """Return the prompt and its answer, computed alone in an empty context."""
        self.fresh.cut(0, 0)
        sampler = self.fresh.new_sampler(SamplingParams(temperature=0), [])
        tokens, start = list(prompt), 0
        while len(tokens) < len(prompt) + ANSWER_TOKENS:
            self.fresh.decode([BatchSlice(0, start, tokens[start:], True)])
            start = len(tokens)
            tokens.append(self.fresh.sample(sampler, 0))
        sampler.close()
        return tokens


@pytest.fixture(params=WRITERS)
def tiny(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tiny]:
    path = tmp_path / "tiny.gguf"
    WRITERS[request.param](path)
    weights = Weights(path, 0, path.stat().st_size)
    model, runner = load_model(EngineOptions(weights, n_ctx=512, max_running=4, n_threads=1))
    other_model, fresh = load_model(EngineOptions(weights, n_ctx=512, max_running=4, n_threads=1))
    yield Tiny(runner, fresh)
    for one in (runner, fresh):
        one.close()
    model.close()
    other_model.close()


def test_requests_that_arrive_together_share_their_prefix(tiny: Tiny) -> None:
    """A common prefix is computed once, and each answer is its own."""
    prompts = [PREFIX + [number] * (number + 2) for number in range(4)]
    together = tiny.run(tiny.scheduler(), prompts)
    assert [sequence.num_cached_tokens for sequence in together] == [0, 60, 60, 60]
    for prompt, sequence in zip(prompts, together, strict=True):
        assert sequence.tokens == tiny.expected(prompt)
    assert len({tuple(sequence.tokens[-ANSWER_TOKENS:]) for sequence in together}) > 1


def test_a_chat_continues(tiny: Tiny) -> None:
    """The next turn computes the last token and what is new."""
    scheduler = tiny.scheduler()
    first = tiny.run(scheduler, [PREFIX])[0]
    second = tiny.run(scheduler, [[*first.tokens, 5, 6]])[0]
    assert second.num_cached_tokens == len(first.tokens) - 1
    assert second.tokens == tiny.expected([*first.tokens, 5, 6])


def test_a_changed_chat_is_cut_where_it_changed(tiny: Tiny) -> None:
    """What two chats share is reused, unless the memory cannot be cut there."""
    scheduler = tiny.scheduler()
    tiny.run(scheduler, [PREFIX])
    prompt = [*PREFIX[:40], 1, 2]
    changed = tiny.run(scheduler, [prompt])[0]
    assert changed.num_cached_tokens == (40 if tiny.runner.can_cut_memory else 0)
    assert changed.tokens == tiny.expected(prompt)


def test_a_prompt_is_restored_after_a_restart(tiny: Tiny, tmp_path: Path) -> None:
    """What is computed from a state that was on disk is what would be computed without it."""
    options = PromptCacheOptions(tmp_path, 1_000_000, "tiny")
    prompt = PREFIX + PREFIX
    scheduler, prompts = tiny.with_prompts(options)
    first = tiny.run(scheduler, [prompt])[0]
    prompts.close()
    for changed in ([*first.tokens, 5, 6], [*prompt, 1], [*first.tokens, 7]):
        scheduler, prompts = tiny.with_prompts(options)
        tiny.run(scheduler, [[1, 2, 3]])
        prompts.restore(changed)
        second = tiny.run(scheduler, [changed])[0]
        assert second.tokens == tiny.expected(changed)
        whole = len(first.tokens) - 1
        if not tiny.runner.can_save_states:
            found = 0
        elif changed[:whole] == first.tokens[:whole]:
            found = whole
        else:
            found = len(prompt) if tiny.runner.can_cut_memory else 0
        assert second.num_cached_tokens == found


def test_a_pinned_beginning_is_shared(tiny: Tiny) -> None:
    """Later requests find all of it, whatever kind of memory it is in."""
    for number in range(tiny.runner.n_seq_max):
        tiny.runner.cut(number, 0)
    pins = Pins()
    pins.keep(PREFIX, NO_ADAPTERS, tiny.runner.n_ctx)
    scheduler = Scheduler(tiny.runner, PrefixCache(tiny.runner, pins), max_running=4)
    for number in range(20):
        prompt = [*PREFIX, *(number * step % N_VOCAB for step in range(1, 8))]
        sequence = tiny.run(scheduler, [prompt])[0]
        assert sequence.tokens == tiny.expected(prompt)
        assert (sequence.num_cached_tokens >= len(PREFIX)) is (number > 0)


def test_a_baked_prompt_changes_no_answer(
    tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Twenty questions are answered as without it; where it cannot be exact, one line says so."""
    tiny.runner.cut(0, 0)
    tiny.runner.decode([BatchSlice(0, 0, PREFIX, False)])
    state = tiny.runner.save_state(0, 1_000_000)
    assert state is not None
    key = prompt_key("tiny", tiny.runner.state_facts())
    file = PromptFile.write(tmp_path / "prompt", key, PREFIX, state)
    data = file.path.read_bytes()
    file.path.write_bytes(bytes(64) + data)
    baked = BakedPrompt(file.path, 64, len(data))
    scheduler, prompts = tiny.with_prompts(PromptCacheOptions(None, 0, "tiny", (baked,)))
    assert len(caplog.records) == (not tiny.runner.can_save_states)
    for number in range(20):
        prompt = [*PREFIX, *(number * step % N_VOCAB for step in range(1, 8))]
        prompts.restore(prompt)
        sequence = tiny.run(scheduler, [prompt])[0]
        assert sequence.tokens == tiny.expected(prompt)
        assert sequence.num_cached_tokens >= len(PREFIX) or not tiny.runner.can_save_states


@pytest.mark.parametrize("seed", range(4))
def test_no_answer_depends_on_what_was_asked_before(tiny: Tiny, seed: int) -> None:
    """Random chats, alone and together, too many for the cells: every answer is as if alone."""
    dice = random.Random(seed)
    scheduler = tiny.scheduler()
    known = [[dice.randrange(N_VOCAB) for _ in range(dice.randint(50, 150))] for _ in range(3)]
    for _ in range(12):
        prompts = []
        for _ in range(dice.randint(1, 5)):
            old = dice.choice(known)[:300]
            kept = dice.choice([len(old), dice.randint(1, len(old))])
            new = [dice.randrange(N_VOCAB) for _ in range(dice.randint(1, 40))]
            prompts.append(old[:kept] + new)
        for prompt, sequence in zip(prompts, tiny.run(scheduler, prompts), strict=True):
            assert sequence.tokens == tiny.expected(prompt)
            known.append(sequence.tokens)
        known = known[-8:]
