"""Tests of going on in a full context, without a model and with real ones."""

import queue
import random
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.adapters import AdapterFile
from runtime.engine.drafting import Drafter, PromptLookupDrafter
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.model import Model
from runtime.engine.model_runner import ModelRunner
from runtime.engine.prompt_cache import PromptCacheOptions
from runtime.engine.prompt_file import PromptFile
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import Event, Finished, GenerationRequest, TextDelta
from runtime.engine.weights import Weights
from tests.runtime.engine.fake_runner import FakeRunner
from tests.runtime.engine.guesser import Guesser
from tests.runtime.engine.tiny_models import WRITERS

Events = queue.Queue[Event]
ADAPTERS = (AdapterFile(Path("one.gguf"), "one"), AdapterFile(Path("two.gguf"), "two"))


class _LetterModel:
    """Writes each token as a letter, and never ends by itself."""

    generates_text = True

    def piece(self, token: int) -> bytes:
        return bytes([48 + token])

    def is_end_of_generation(self, token: int) -> bool:
        return False


class _CountingRunner(FakeRunner):
    """Counts to 7 again and again, so that a lookup always finds what comes."""

    def continuation(self, tokens: list[int]) -> int:
        return (tokens[-1] + 1) % 7


def _engine(
    runner: FakeRunner,
    *,
    max_running: int = 1,
    drafter: Drafter | None = None,
    prompts: Path | None = None,
) -> Engine:
    engine = Engine(
        lambda: (cast(Model, _LetterModel()), runner),
        max_running=max_running,
        adapters=ADAPTERS,
        load_drafter=lambda _model, _runner: drafter,
        prompt_cache=PromptCacheOptions(prompts, 1_000_000, "fake") if prompts else None,
    )
    engine.start_thread()
    engine.wait_until_loaded()
    return engine


def _end(events: Events) -> tuple[str, Finished]:
    text = ""
    while isinstance(event := events.get(timeout=60), TextDelta):
        text += event.text
    assert isinstance(event, Finished)
    return text, event


def _text(tokens: list[int]) -> str:
    return "".join(_LetterModel().piece(token).decode() for token in tokens)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    n_ctx=st.integers(12, 60),
    n_batch=st.integers(4, 32),
    can_cut_memory=st.booleans(),
    is_drafting=st.booleans(),
)
def test_every_request_goes_on_as_if_alone(
    seed: int, n_ctx: int, n_batch: int, can_cut_memory: bool, is_drafting: bool
) -> None:
    """Whoever else runs, shares cells, drafts, shifts, goes or is put back: the text is its own."""
    chance = random.Random(seed)
    runner = FakeRunner(n_ctx=n_ctx, n_batch=n_batch, can_cut_memory=can_cut_memory)
    drafter = Guesser(runner, random.Random(seed)) if is_drafting else None
    engine = _engine(runner, max_running=3, drafter=drafter)
    common = [chance.randrange(50) for _ in range(n_ctx // 2)]
    asked = []
    for _ in range(6):
        prompt = common[: chance.randint(1, len(common))]
        prompt += [chance.randrange(50) for _ in range(chance.randint(0, n_ctx - len(prompt) - 1))]
        request = GenerationRequest(
            prompt,
            max_tokens=chance.randint(1, 3 * n_ctx),
            lora={chance.randrange(2): 1.0} if chance.random() < 0.3 else {},
            n_keep=chance.randint(-1, n_ctx),
        )
        events = Events()
        sequence = engine.submit(request, events.put)
        is_cancelled = chance.random() < 0.2
        if is_cancelled:
            engine.cancel(sequence)
        asked.append((request, is_cancelled, events))
    for request, is_cancelled, events in asked:
        text, finished = _end(events)
        count = finished.stats.completion_tokens
        assert text == _text(runner.expected(request.prompt, count, request.n_keep))
        assert (finished.reason, count) == ("length", request.max_tokens) or is_cancelled
    metrics = engine.metrics
    engine.stop()
    assert metrics.num_cells_running == 0
    assert metrics.num_cells_used == runner.num_cells_used
    assert runner.num_samplers == 0


@pytest.mark.parametrize("is_drafting", [False, True])
def test_without_it_the_context_ends_the_answer(is_drafting: bool) -> None:
    """A request that says nothing of it stops where the context is full, drafted or not."""
    runner = FakeRunner(n_ctx=40, n_batch=32)
    drafter = Guesser(runner, random.Random(1)) if is_drafting else None
    engine = _engine(runner, drafter=drafter)
    events = Events()
    engine.submit(GenerationRequest([1, 2, 3]), events.put)
    text, finished = _end(events)
    engine.stop()
    assert text == _text(runner.expected([1, 2, 3], 37))
    assert finished.reason == "length"


def test_kept_cells_are_not_computed_again() -> None:
    """Where memory can be cut, only what moved up is computed anew."""
    runner = FakeRunner(n_ctx=40, n_batch=64)
    engine = _engine(runner)
    events = Events()
    engine.submit(GenerationRequest(list(range(10)), max_tokens=31, n_keep=-1), events.put)
    _end(events)
    engine.stop()
    # Ten of the prompt, 29 one by one, and the newer half of 30 at once.
    assert runner.num_computed == 10 + 29 + 15


def test_a_lookup_starts_anew_behind_a_shift() -> None:
    """What is guessed ahead is right on both sides of each shift."""
    runner = _CountingRunner(n_ctx=100, n_batch=64)
    engine = _engine(runner, drafter=PromptLookupDrafter())
    events = Events()
    engine.submit(GenerationRequest([0, 3], max_tokens=500, n_keep=1), events.put)
    text, finished = _end(events)
    engine.stop()
    assert text == _text(runner.expected([0, 3], 500, 1))
    stats = finished.stats
    assert stats.accepted_tokens == stats.drafted_tokens > 400


def test_what_is_kept_for_later_is_what_was_computed(tmp_path: Path) -> None:
    """Behind a shift, memory and disk have the tokens that lie in the cells, for later prompts."""
    runner = FakeRunner(n_ctx=200, n_batch=64)
    engine = _engine(runner, drafter=Guesser(runner, random.Random(1)), prompts=tmp_path)
    events = Events()
    request = GenerationRequest(list(range(50)), max_tokens=500, lora={}, n_keep=20)
    sequence = engine.submit(request, events.put)
    _end(events)
    engine.stop()
    (path,) = tmp_path.iterdir()
    file = PromptFile.open(path)
    assert file.tokens == sequence.tokens[:-1]
    assert bytes(file.state()).decode() == repr(file.tokens)
    runner = FakeRunner(n_ctx=200, n_batch=64)
    engine = _engine(runner, prompts=tmp_path)
    prompt = sequence.tokens[:-1]
    engine.submit(GenerationRequest([*prompt, 7], max_tokens=3, lora={}), events.put)
    text, finished = _end(events)
    engine.stop()
    assert text == _text(runner.expected([*prompt, 7], 3))
    assert finished.stats.cached_tokens == len(prompt)


def _check_what_follows_shifts(start: Callable[[], Engine], count: int, num_shifts: int) -> None:
    """Compare the text behind the last shift with that of a new engine for the same tokens."""
    sampling = SamplingParams(temperature=0, ignore_eos=True)
    prompt = list(range(40, 60)) * 12
    engine, events = start(), Events()
    request = GenerationRequest(prompt, sampling, max_tokens=count, n_keep=8)
    sequence = engine.submit(request, events.put)
    assert _end(events)[1].stats.completion_tokens == count
    # Each shift leaves 8 tokens and the newer half of the others.
    shifted = 8 + (engine.n_ctx - 8) // 2
    assert sequence.num_forgotten == num_shifts * (engine.n_ctx - shifted)
    assert sequence.tokens[:8] == prompt[:8]
    engine.stop()
    engine = start()
    request = GenerationRequest(
        sequence.tokens[:shifted], sampling, max_tokens=len(sequence.tokens) - shifted
    )
    again = engine.submit(request, events.put)
    _end(events)
    engine.stop()
    assert again.tokens == sequence.tokens


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_memory_goes_on(binding: None, tmp_path: Path, kind: str) -> None:
    """It does not matter whether memory can be cut; the context is used again and again."""
    path = tmp_path / "tiny.gguf"
    WRITERS[kind](path)
    weights = Weights(path, 0, path.stat().st_size)
    loaded = []

    def load() -> tuple[Model, ModelRunner]:
        model, runner = load_model(EngineOptions(weights, n_ctx=256, max_running=2, n_threads=1))
        loaded.append((model, runner))
        # The file has no vocabulary to write with.
        return cast(Model, _LetterModel()), runner

    def start() -> Engine:
        engine = Engine(
            load, max_running=2, load_drafter=lambda _model, _runner: PromptLookupDrafter()
        )
        engine.start_thread()
        return engine

    _check_what_follows_shifts(start, 3 * 256, 7)
    for model, runner in loaded:
        runner.close()
        model.close()


def test_a_real_model_goes_on(binding: None, gguf: Path) -> None:
    """The real model's text goes on, too, whatever is drafted."""
    weights = Weights(gguf, 0, gguf.stat().st_size)
    options = EngineOptions(weights, n_ctx=256, max_running=2, n_threads=1)
    _check_what_follows_shifts(lambda: Engine.start(options), 150, 2)
