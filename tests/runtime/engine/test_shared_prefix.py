"""Tests of sharing with the real model: what is computed, and that it changes no answer."""

import queue
from collections.abc import Sequence as ReadOnlyList
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.model import Model
from runtime.engine.model_runner import ModelRunner
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import (
    Event,
    Finished,
    GenerationRequest,
    Sequence,
    Stats,
    TextDelta,
)
from runtime.engine.weights import Weights

NUM_CLIENTS = 8
NUM_SHARED = 600
TOPICS = ["rain", "bread", "trains", "the moon", "cats", "glass", "salt", "music"]

pytestmark = pytest.mark.usefixtures("binding")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a request gave, and the whole of its tokens."""

    text: str
    tokens: list[int]
    stats: Stats


class _Loaded:
    """An engine with nothing cached yet; a context manager that frees it."""

    def __init__(self, gguf: Path) -> None:
        options = EngineOptions(
            Weights(gguf, 0, gguf.stat().st_size),
            n_ctx=4096,
            max_running=NUM_CLIENTS,
            n_threads=1,
        )
        self._parts = load_model(options)
        self._engine = Engine(lambda: self._parts, max_running=NUM_CLIENTS)

    def __enter__(self) -> "_Loaded":
        self._engine.start_thread()
        return self

    def __exit__(self, *error: object) -> None:
        self._engine.stop()
        self.runner.close()
        self.model.close()

    @property
    def model(self) -> Model:
        return self._parts[0]

    @property
    def runner(self) -> ModelRunner:
        return self._parts[1]

    def answers(self, prompts: ReadOnlyList[list[int]]) -> list[_Answer]:
        """Ask everything at once, greedily."""
        asked = []
        for prompt in prompts:
            events: queue.Queue[Event] = queue.Queue()
            request = GenerationRequest(prompt, SamplingParams(temperature=0), max_tokens=24)
            asked.append((self._engine.submit(request, events.put), events))
        return [_answer(sequence, events) for sequence, events in asked]

    def prompts(self) -> list[list[int]]:
        """Return prompts of which exactly the first `NUM_SHARED` tokens are the same."""
        text = "You are a careful assistant. Answer in one short sentence. " * NUM_SHARED
        shared = self.tokens("<|im_start|>system\n" + text)[:NUM_SHARED]
        return [
            shared
            + self.tokens(
                f"{number}<|im_end|>\n<|im_start|>user\nTell me about {topic}."
                "<|im_end|>\n<|im_start|>assistant\n"
            )
            for number, topic in enumerate(TOPICS)
        ]

    def tokens(self, text: str) -> list[int]:
        return self.model.tokenize(text, add_special=False, parse_special=True)


def _answer(sequence: Sequence, events: "queue.Queue[Event]") -> _Answer:
    text = ""
    while isinstance(event := events.get(timeout=120), TextDelta):
        text += event.text
    assert isinstance(event, Finished)
    return _Answer(text, sequence.tokens, event.stats)


def test_eight_clients_compute_their_prefix_once_and_answer_as_if_alone(gguf: Path) -> None:
    """Eight cold requests compute what they share once, and a neighbour changes no greedy text."""
    with _Loaded(gguf) as loaded:
        prompts = loaded.prompts()
        together = loaded.answers(prompts)
    computed = [answer.stats.prompt_tokens - answer.stats.cached_tokens for answer in together]
    suffixes = [len(prompt) - NUM_SHARED for prompt in prompts]
    assert sum(computed) == NUM_SHARED + sum(suffixes)
    with _Loaded(gguf) as loaded:
        alone = loaded.answers(prompts[:1])[0]
    assert alone.stats.cached_tokens == 0
    assert together[0].text == alone.text


def test_a_chat_continues_where_it_stopped(gguf: Path) -> None:
    """The next turn computes the answer's last token and what is new."""
    with _Loaded(gguf) as loaded:
        first = loaded.answers(loaded.prompts()[:1])[0]
        question = loaded.tokens("<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n")
        second = loaded.answers([first.tokens + question])[0]
    assert second.stats.cached_tokens == len(first.tokens) - 1
