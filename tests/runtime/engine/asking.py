"""Asking an engine for a text and waiting for it."""

import queue
from dataclasses import dataclass, field
from typing import Any

from runtime.engine.engine import Engine
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import Event, Failed, Finished, GenerationRequest, TextDelta


@dataclass
class Asked:
    """A request under way."""

    events: "queue.Queue[Event]" = field(default_factory=queue.Queue)

    def text(self) -> str:
        """Return the whole text once it is finished."""
        return "".join(delta.text for delta in self.deltas())

    def deltas(self) -> list[TextDelta]:
        """Return all of its text events once it is finished."""
        deltas = []
        while isinstance(event := self.events.get(timeout=120), TextDelta):
            deltas.append(event)
        if isinstance(event, Failed):
            raise event.error
        assert isinstance(event, Finished), "nobody asked for its progress"
        self.finished: Finished = event
        return deltas


def submit(
    engine: Engine,
    prompt: str,
    *,
    max_tokens: int | None = 16,
    num_top_logprobs: int | None = None,
    **sampling: Any,
) -> Asked:
    """Ask for a continuation of a prompt."""
    asked = Asked()
    tokens = engine.model.tokenize(prompt, add_special=True, parse_special=True)
    params = SamplingParams(**sampling)
    request = GenerationRequest(
        tokens, params, max_tokens=max_tokens, num_top_logprobs=num_top_logprobs
    )
    engine.submit(request, asked.events.put)
    return asked


def ask(engine: Engine, prompt: str, *, max_tokens: int | None = 16, **sampling: Any) -> str:
    """Return the continuation of a prompt."""
    return submit(engine, prompt, max_tokens=max_tokens, **sampling).text()
