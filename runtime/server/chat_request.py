"""The body of a chat completion request, and what it asks of the engine."""

from dataclasses import replace
from typing import Any

import msgspec

from runtime.chat.conversation import Conversation
from runtime.chat.template import Message
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import GenerationRequest
from runtime.errors import RequestError
from runtime.server.constraint import constraint
from runtime.server.errors import NotSupportedError
from runtime.server.logprobs import num_top_logprobs
from runtime.server.lora import LoraScale, lora_scales
from runtime.server.sampling import SamplingFields
from runtime.server.state import ServerState

MAX_CHOICES = 16


class TextPart(msgspec.Struct, tag="text"):
    """A piece of a message's text."""

    text: str


class ImagePart(msgspec.Struct, tag="image_url"):
    """An image; refused, since no model here sees."""

    image_url: Any


class ChatMessage(msgspec.Struct):
    """One message of a conversation."""

    role: str
    content: str | list[TextPart | ImagePart] | None = None

    def to_template(self) -> Message:
        """Return the message as chat templates take it."""
        return {"role": self.role, "content": self._text()}

    def _text(self) -> str:
        if not isinstance(self.content, list):
            return self.content or ""
        if any(isinstance(part, ImagePart) for part in self.content):
            raise NotSupportedError("This model takes no images.")
        return "".join(part.text for part in self.content if isinstance(part, TextPart))


class StreamOptions(msgspec.Struct):
    """What a stream carries besides text."""

    include_usage: bool = False


class ChatRequest(SamplingFields, kw_only=True):
    """The body of a chat completion request; fields not named here are ignored."""

    messages: list[ChatMessage]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n_predict: int | None = None
    n_keep: int | None = None
    t_max_predict_ms: int | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    tools: list[Any] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    lora: list[LoraScale] | None = None


def to_generations(body: ChatRequest, state: ServerState) -> list[GenerationRequest]:
    """Return what a body asks of the engine: one generation for each choice.

    Raises:
        RequestError: A field's value cannot be used, or two do not fit together.
    """
    if body.tools:
        raise NotSupportedError("This server does not support tools yet.")
    if not body.messages:
        raise RequestError("messages is empty.")
    max_predict_ms = body.t_max_predict_ms or 0
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    constrained = constraint(body)
    prompt = state.chat_format.prompt(
        Conversation(
            [message.to_template() for message in body.messages],
            grammar=constrained.get("grammar", ""),
        )
    )
    request = GenerationRequest(
        prompt=prompt.tokens,
        sampling=state.sampling_params(
            {**body.asked(state.engine.model), **constrained, **prompt.constraint}
        ),
        shown_tokens=prompt.shown_tokens,
        max_tokens=_max_tokens(body, state),
        stop=tuple(stop),
        num_top_logprobs=num_top_logprobs(body.logprobs, body.top_logprobs),
        lora=lora_scales(body.lora),
        n_keep=state.kept_tokens(body.n_keep),
        timeout_s=state.timeout_s,
        max_generation_s=max_predict_ms / 1e3 if max_predict_ms > 0 else None,
    )
    return [
        replace(request, sampling=_of_choice(request.sampling, index))
        for index in range(_num_choices(body.n))
    ]


def _max_tokens(body: ChatRequest, state: ServerState) -> int | None:
    """Return how much to generate: what was asked for, and no more than the server allows."""
    fields = (body.max_completion_tokens, body.max_tokens, body.n_predict)
    asked = next((limit for limit in fields if limit is not None), None)
    limits = [limit for limit in (asked, state.max_tokens) if limit is not None and limit >= 0]
    return min(limits, default=None)


def _num_choices(n: int | None) -> int:
    number = 1 if n is None else n
    if not 1 <= number <= MAX_CHOICES:
        raise RequestError(f"n is {n}, and must lie from 1 to {MAX_CHOICES}.")
    return number


def _of_choice(sampling: SamplingParams, index: int) -> SamplingParams:
    """Return a choice's parameters: with one seed for all, all choices would be the same."""
    return sampling if sampling.seed is None else replace(sampling, seed=sampling.seed + index)
