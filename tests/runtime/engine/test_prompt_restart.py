"""Tests of a restart with the real model: saved while idle and at the end, and found again."""

import time
from pathlib import Path

import pytest

from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.prompt_cache import PromptCacheOptions
from runtime.engine.weights import Weights
from tests.runtime.engine.asking import submit

SYSTEM = "You are a careful assistant. Answer in one short sentence. " * 12
QUESTIONS = ["What is rain?", "Name a fruit.", "Why do cats purr?"]

pytestmark = pytest.mark.usefixtures("binding")


def _engine(gguf: Path, folder: Path | None, *, n_ctx: int = 1024) -> Engine:
    prompt_cache = PromptCacheOptions(folder, 1 << 30, "smollm2") if folder else None
    weights = Weights(gguf, 0, gguf.stat().st_size)
    options = EngineOptions(weights, n_ctx=n_ctx, n_threads=1, prompt_cache=prompt_cache)
    return Engine.start(options)


def _answer(engine: Engine, question: str) -> tuple[str, int]:
    asked = submit(engine, SYSTEM + question, temperature=0)
    return asked.text(), asked.finished.stats.cached_tokens


def test_a_restart_computes_no_known_prompt_and_changes_no_answer(
    gguf: Path, tmp_path: Path
) -> None:
    """The next process has the prompt at once, in a context of another size, too."""
    engine = _engine(gguf, None)
    expected = [_answer(engine, question)[0] for question in QUESTIONS]
    engine.stop()
    engine = _engine(gguf, tmp_path)
    assert _answer(engine, QUESTIONS[0]) == (expected[0], 0)
    engine.stop()
    assert len(list(tmp_path.iterdir())) == 1
    engine = _engine(gguf, tmp_path, n_ctx=512)
    num_system = len(engine.model.tokenize(SYSTEM, add_special=True, parse_special=True))
    for question, text in zip(QUESTIONS[1:], expected[1:], strict=True):
        answer, found = _answer(engine, question)
        assert answer == text
        assert found >= num_system - 1
    engine.stop()


def test_what_was_computed_is_saved_before_the_end(gguf: Path, tmp_path: Path) -> None:
    """A process that is killed has saved its prompts, if it was idle for a moment."""
    engine = _engine(gguf, tmp_path)
    _answer(engine, QUESTIONS[0])
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*.prompt")):
        assert time.monotonic() < deadline, "nothing was saved"
        time.sleep(0.05)
    engine.stop()
