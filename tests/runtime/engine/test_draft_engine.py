"""Tests of a draft model with the real model: the text stays, and good guesses save batches."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from runtime.engine.draft_model import DraftLimits, DraftModel
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.model_runner import ContextOptions, ModelRunner
from runtime.engine.sequence import Event, Finished, GenerationRequest, Sequence, TextDelta
from runtime.engine.speculation import SpeculationOptions
from runtime.engine.weights import LoadOptions, Weights
from runtime.errors import DamagedFileError, UnsupportedError
from tests.runtime.engine.asking import ask, submit
from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.runtime.engine.tiny_models import write_recurrent

pytestmark = pytest.mark.usefixtures("binding")

PROMPT = "The capital of France is"
DRAFT_ONLY = SpeculationOptions(spec_type="draft-simple")


def _weights(path: Path) -> Weights:
    return Weights(path, 0, path.stat().st_size)


def _options(gguf: Path, draft: Path | None = None, *, max_running: int = 1) -> EngineOptions:
    # In a context this small a batch gives the same logits as its tokens one by one.
    return EngineOptions(
        _weights(gguf),
        n_ctx=256,
        max_running=max_running,
        n_threads=1,
        speculation=DRAFT_ONLY,
        draft=_weights(draft) if draft else None,
    )


@contextmanager
def _loaded(options: EngineOptions) -> Iterator[Engine]:
    engine = Engine.start(options)
    try:
        engine.wait_until_loaded()
        yield engine
    finally:
        if engine.error is None:
            engine.stop()


@pytest.fixture(scope="module")
def stranger(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with the real one's tokens and random weights."""
    path = tmp_path_factory.mktemp("draft") / "stranger.gguf"
    write_tiny_llama(path, head_size=16, tokenizer_of=gguf)
    return path


@pytest.fixture(scope="module")
def expected(gguf: Path) -> dict[int, str]:
    """What the model says without drafts, greedily and by seed."""
    with _loaded(_options(gguf)) as engine:
        greedy = ask(engine, PROMPT, max_tokens=32, temperature=0)
    with _loaded(_options(gguf)) as engine:
        drawn = ask(engine, PROMPT, max_tokens=32, temperature=0.8, seed=7)
    return {0: greedy, 7: drawn}


def test_its_own_draft_is_nearly_always_right(gguf: Path, expected: dict[int, str]) -> None:
    """The same model guesses what is chosen greedily, so most tokens need no batch of theirs."""
    with _loaded(_options(gguf, gguf)) as engine:
        asked = submit(engine, PROMPT, max_tokens=32, temperature=0)
        assert asked.text() == expected[0]
        stats = asked.finished.stats
        assert stats.drafted_tokens >= 20
        assert stats.accepted_tokens >= 0.9 * stats.drafted_tokens


def test_a_drawn_text_is_the_same_as_without(gguf: Path, expected: dict[int, str]) -> None:
    """By seed some guesses are wrong, and the text is still the one without drafts."""
    with _loaded(_options(gguf, gguf)) as engine:
        asked = submit(engine, PROMPT, max_tokens=32, temperature=0.8, seed=7)
        assert asked.text() == expected[7]
        stats = asked.finished.stats
        assert 0 < stats.accepted_tokens < stats.drafted_tokens


def test_a_strangers_guesses_change_nothing(
    gguf: Path, stranger: Path, expected: dict[int, str]
) -> None:
    """Random guesses are nearly all wrong, and the text is the same."""
    with _loaded(_options(gguf, stranger)) as engine:
        asked = submit(engine, PROMPT, max_tokens=32, temperature=0)
        assert asked.text() == expected[0]
        stats = asked.finished.stats
        assert stats.drafted_tokens >= 60
        assert stats.accepted_tokens <= 0.1 * stats.drafted_tokens


def test_cancelled_and_waiting_requests_leave_room_for_drafts(gguf: Path, stranger: Path) -> None:
    """More requests than the context holds, some of them cancelled; later ones are drafted too."""
    with _loaded(_options(gguf, stranger, max_running=3)) as engine:
        tokens = engine.model.tokenize(PROMPT * 10, add_special=True, parse_special=True)
        requests = []
        for _ in range(4):
            events: queue.Queue[Event] = queue.Queue()
            request = GenerationRequest(tokens, max_tokens=100)
            requests.append((engine.submit(request, events.put), events))
        assert isinstance(requests[0][1].get(timeout=120), TextDelta)
        for sequence, _ in requests[:2]:
            engine.cancel(sequence)
        for _, events in requests:
            while not isinstance(event := events.get(timeout=120), Finished):
                assert isinstance(event, TextDelta)
        asked = submit(engine, PROMPT, max_tokens=8, temperature=0)
        asked.text()
        assert asked.finished.stats.drafted_tokens > 0


def test_a_forgotten_sequence_leaves_its_context_empty(gguf: Path, stranger: Path) -> None:
    """Its cells are llama.cpp's to give to another sequence."""
    target, runner = load_model(_options(gguf))
    context = ContextOptions(
        n_ctx=256,
        n_batch=128,
        n_ubatch=128,
        n_seq_max=1,
        n_threads=1,
        n_threads_batch=1,
        embeds=runner.embeds,
    )
    model = DraftModel.open(_weights(stranger), LoadOptions(), target, context, DraftLimits())
    sequence = Sequence(GenerationRequest(list(range(100, 140))), lambda _: None)
    assert len(model.propose({sequence: 3})[sequence]) == 3
    own = cast(ModelRunner, model._runner)
    assert own._api.llama_memory_seq_pos_max(own._memory, 0) == 41
    model.forget(sequence)
    assert own._api.llama_memory_seq_pos_max(own._memory, 0) == -1


def test_other_tokens_are_refused(gguf: Path, tmp_path: Path) -> None:
    """One token that differs, another number of them, and another tokenizer are said at start."""
    write_tiny_llama(tmp_path / "other.gguf", head_size=16, tokenizer_of=gguf, other_token=1000)
    write_tiny_llama(tmp_path / "none.gguf", head_size=16)
    messages = {
        "other.gguf": r"other\.gguf cannot guess .*: token 1000 is 'no such token' there, and '",
        "none.gguf": r"none\.gguf cannot guess .*: its tokenizer is of another kind",
    }
    for name, message in messages.items():
        with (
            pytest.raises(UnsupportedError, match=message),
            _loaded(_options(gguf, tmp_path / name)),
        ):
            pass


def test_what_is_no_draft_model_is_refused(tmp_path: Path) -> None:
    """A memory that cannot be cut, and a file that is no model."""
    write_tiny_llama(tmp_path / "model.gguf", head_size=16)
    write_recurrent(tmp_path / "recurrent.gguf")
    (tmp_path / "text.gguf").write_text("text", encoding="utf-8")
    cases = {
        "recurrent.gguf": (UnsupportedError, "cannot be a draft model"),
        "text.gguf": (DamagedFileError, "not a GGUF"),
    }
    for name, (error, message) in cases.items():
        with (
            pytest.raises(error, match=message),
            _loaded(_options(tmp_path / "model.gguf", tmp_path / name)),
        ):
            pass


def test_a_memory_that_cannot_be_cut_gets_no_draft_model(tmp_path: Path) -> None:
    """The draft model is not even loaded, nor is it where guessing is turned off."""
    write_recurrent(tmp_path / "recurrent.gguf")
    write_tiny_llama(tmp_path / "model.gguf", head_size=16)
    nothing = Weights(tmp_path / "nothing.gguf", 0, 0)
    off = SpeculationOptions(spec_type="none")
    for options in (
        _options(tmp_path / "recurrent.gguf"),
        replace(_options(tmp_path / "model.gguf"), speculation=off),
    ):
        with _loaded(replace(options, draft=nothing)) as engine:
            assert engine.is_ready
