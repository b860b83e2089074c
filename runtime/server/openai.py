"""OpenAI's dialect: `/v1/models` and `/v1/chat/completions`, with llama-server's additions."""

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from runtime.chat.template import Message
from runtime.engine.model import Model
from runtime.engine.sampling.json_grammar import JSON_OBJECT
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.sequence import Event, Failed, Finished, GenerationRequest, Stats, TextDelta
from runtime.errors import RequestError
from runtime.server.errors import LoadingError, NotSupportedError, error_body
from runtime.server.generation import generate, unless_gone
from runtime.server.json import JSONResponse, encode, read_json
from runtime.server.logprobs import logprobs_body, num_top_logprobs
from runtime.server.lora import LoraScale, lora_scales
from runtime.server.sampling import SamplingFields
from runtime.server.state import ServerState, state_of
from runtime.server.timings import timings


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
    stop: str | list[str] | None = None
    n: int | None = None
    tools: list[Any] | None = None
    response_format: dict[str, Any] | None = None
    json_schema: Any = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    lora: list[LoraScale] | None = None


async def list_models(request: Request) -> Response:
    """Answer `GET /v1/models`."""
    state = state_of(request)
    model = {"id": state.name, "object": "model", "created": 0, "owned_by": "solofile"}
    return JSONResponse({"object": "list", "data": [model]})


async def chat_completions(request: Request) -> Response:
    """Answer `POST /v1/chat/completions`."""
    state = state_of(request)
    if not state.engine.is_ready:
        raise LoadingError
    body = await read_json(request, ChatRequest)
    events = generate(state.engine, _to_generation(body, state))
    answer = _ChatAnswer(state.name, state.engine.model, with_logprobs=bool(body.logprobs))
    if not body.stream:
        return JSONResponse(await unless_gone(request, answer.whole(events)))
    # What is wrong with the request shows before the first event, while a status can be sent.
    first = await anext(events)
    if isinstance(first, Failed):
        raise first.error
    include_usage = bool(body.stream_options and body.stream_options.include_usage)
    stream = answer.stream(first, events, include_usage=include_usage)
    return StreamingResponse(stream, media_type="text/event-stream")


ROUTES = [
    Route(f"{prefix}{path}", endpoint, methods=[method])
    for prefix in ("/v1", "")
    for path, endpoint, method in (
        ("/models", list_models, "GET"),
        ("/chat/completions", chat_completions, "POST"),
    )
]


def _to_generation(body: ChatRequest, state: ServerState) -> GenerationRequest:
    _refuse_unsupported(body)
    limits = (body.max_completion_tokens, body.max_tokens, state.max_tokens)
    max_tokens = next((limit for limit in limits if limit is not None), None)
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if not body.messages:
        raise RequestError("messages is empty.")
    return GenerationRequest(
        prompt=state.chat_format.prompt([message.to_template() for message in body.messages]),
        sampling=state.sampling_params(body.asked(state.engine.model) | _constraint(body)),
        max_tokens=None if max_tokens is None or max_tokens < 0 else max_tokens,
        stop=tuple(stop),
        num_top_logprobs=num_top_logprobs(body.logprobs, body.top_logprobs),
        lora=lora_scales(body.lora),
    )


def _constraint(body: ChatRequest) -> dict[str, str]:
    """Return the grammar that `response_format` asks for, by its field of `SamplingParams`."""
    if (body.response_format or {}).get("type", "text") == "text":
        return {}
    if body.grammar:
        raise RequestError("A request takes a grammar or a response_format, not both.")
    return {"grammar": JSON_OBJECT}


def _refuse_unsupported(body: ChatRequest) -> None:
    response_format = body.response_format or {}
    kind = response_format.get("type", "text")
    unsupported = {
        "n above 1": (body.n or 1) > 1,
        "tools": bool(body.tools),
        "response_format with a schema": "schema" in response_format,
        f"response_format {kind}": kind not in ("text", "json_object"),
        "json_schema": body.json_schema is not None,
    }
    for what, is_asked in unsupported.items():
        if is_asked:
            raise NotSupportedError(f"This server does not support {what} yet.")


class _ChatAnswer:
    """Writes one completion, whole or as a stream of chunks."""

    def __init__(self, name: str, model: Model, *, with_logprobs: bool) -> None:
        self._model = model
        self._with_logprobs = with_logprobs
        self._frame = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": name,
        }

    async def whole(self, events: AsyncGenerator[Event]) -> dict[str, Any]:
        """Return the completion once it is finished."""
        texts = []
        choices: list[Choice] = []
        async for event in events:
            match event:
                case TextDelta():
                    texts.append(event.text)
                    choices += event.choices
                case Failed(error):
                    raise error
                case Finished(reason, stats):
                    choice = {
                        "index": 0,
                        "message": {"role": "assistant", "content": "".join(texts)},
                        "finish_reason": reason,
                    }
                    return self._completion(choice | self._logprobs(choices), stats)
        raise AssertionError("the engine ends every request with an event")

    async def stream(
        self, first: Event, events: AsyncGenerator[Event], *, include_usage: bool
    ) -> AsyncIterator[bytes]:
        """Yield the completion as server-sent events."""
        try:
            yield self._chunk({"role": "assistant", "content": ""}, None)
            event = first
            while isinstance(event, TextDelta):
                delta = {"content": event.text}
                yield self._chunk(delta, None, event.choices)
                event = await anext(events)
            if isinstance(event, Failed):
                yield _sse(error_body(event.error))
            else:
                yield self._chunk({}, event.reason, timings=timings(event.stats))
                if include_usage:
                    yield self._usage_chunk(event.stats)
            yield b"data: [DONE]\n\n"
        finally:
            await events.aclose()

    def _logprobs(self, choices: Iterable[Choice]) -> dict[str, Any]:
        return {"logprobs": logprobs_body(choices, self._model)} if self._with_logprobs else {}

    def _completion(self, choice: dict[str, Any], stats: Stats) -> dict[str, Any]:
        return self._frame | {
            "object": "chat.completion",
            "choices": [choice],
            "usage": _usage(stats),
            "timings": timings(stats),
        }

    def _chunk(
        self,
        delta: dict[str, str],
        reason: str | None,
        choices: Iterable[Choice] = (),
        **extra: Any,
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason} | self._logprobs(choices)
        return _sse(self._frame | {"object": "chat.completion.chunk", "choices": [choice]} | extra)

    def _usage_chunk(self, stats: Stats) -> bytes:
        return _sse(
            self._frame | {"object": "chat.completion.chunk", "choices": [], "usage": _usage(stats)}
        )


def _sse(data: dict[str, Any]) -> bytes:
    return b"data: " + encode(data) + b"\n\n"


def _usage(stats: Stats) -> dict[str, Any]:
    return {
        "prompt_tokens": stats.prompt_tokens,
        "completion_tokens": stats.completion_tokens,
        "total_tokens": stats.prompt_tokens + stats.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": stats.cached_tokens},
    }
