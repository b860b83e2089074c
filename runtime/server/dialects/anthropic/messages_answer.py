"""A message as Anthropic's clients see it: whole, or as a stream of events."""

import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta, ToolCallDelta
from runtime.engine.sequence import Stats
from runtime.server.answers import Answer, AnswerEnd, AnswerEvent
from runtime.server.streaming import server_sent

_STOP_REASONS = {"tool_calls": "tool_use", "length": "max_tokens"}


class MessageAnswer:
    """Writes one message.

    Args:
        name: The model's name.
        num_marked: How many of the prompt's tokens the client wants to stay in memory.
        omits_thinking: Leave thoughts out of their blocks.
    """

    def __init__(self, name: str, num_marked: int = 0, *, omits_thinking: bool) -> None:
        self._omits_thinking = omits_thinking
        self._num_marked = num_marked
        self._frame = {
            "id": f"msg_{uuid.uuid4().hex[:24]}",
            "type": "message",
            "role": "assistant",
            "model": name,
        }

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the message; a call that was cut short is left out."""
        assert answer.end, "told when it is complete"
        content: list[dict[str, Any]] = []
        if answer.reasoning:
            thinking = "" if self._omits_thinking else answer.reasoning
            content.append({"type": "thinking", "thinking": thinking, "signature": ""})
        inputs = [(call, call.arguments_object()) for call in answer.tool_calls]
        calls = [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}
            for call, arguments in inputs
            if arguments is not None
        ]
        # Clients read the first block's text without a look at whether there is one.
        if answer.content or not (content or calls):
            content.append({"type": "text", "text": answer.content})
        return self._frame | {
            "content": content + calls,
            **_reason(answer.end),
            "usage": self._usage(answer.stats),
        }

    async def events(
        self, events: AsyncGenerator[AnswerEvent], num_prompt_tokens: int
    ) -> AsyncGenerator[bytes]:
        """Yield the message as server-sent events.

        Args:
            events: The answer's.
            num_prompt_tokens: The prompt's length; how much of it was known shows at the end.

        Raises:
            AppError: The answer failed.
        """
        blocks = _BlockWriter(omits_thinking=self._omits_thinking)
        is_open = False
        async with aclosing(events):
            async for event in events:
                if not is_open:
                    # It is told with the first event, when it is clear that there is an answer.
                    is_open = True
                    yield self._start(num_prompt_tokens)
                    yield _event("ping")
                if isinstance(event, AnswerEnd):
                    for told in blocks.close():
                        yield told
                    yield _event(
                        "message_delta", delta=_reason(event), usage=self._usage(event.stats)
                    )
                    yield _event("message_stop")
                    continue
                for delta in event.deltas:
                    for told in blocks.write(delta):
                        yield told

    def _start(self, num_prompt_tokens: int) -> bytes:
        usage = {
            "input_tokens": num_prompt_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 0,
        }
        content: list[Any] = []
        message = {"content": content, "stop_reason": None, "stop_sequence": None, "usage": usage}
        return _event("message_start", message=self._frame | message)

    def _usage(self, stats: Stats) -> dict[str, Any]:
        """Return what the answer took; computed tokens before the client's mark count apart."""
        num_kept = max(0, self._num_marked - stats.cached_tokens)
        return {
            "input_tokens": stats.prompt_tokens - stats.cached_tokens - num_kept,
            "cache_creation_input_tokens": num_kept,
            "cache_read_input_tokens": stats.cached_tokens,
            "output_tokens": stats.completion_tokens,
        }


class _BlockWriter:
    """Writes an answer's deltas as content blocks, one after the other."""

    def __init__(self, *, omits_thinking: bool) -> None:
        self._omits_thinking = omits_thinking
        self._index = -1
        self._open: tuple[str, int] | None = None

    def write(self, delta: Delta) -> Iterator[bytes]:
        """Yield the events of a delta."""
        block: dict[str, Any]
        match delta:
            case ContentDelta(text=text):
                which, block = ("text", 0), {"type": "text", "text": ""}
                piece = {"type": "text_delta", "text": text}
            case ReasoningDelta(text=text):
                which = ("thinking", 0)
                block = {"type": "thinking", "thinking": "", "signature": ""}
                piece = {"type": "thinking_delta", "thinking": text}
            case ToolCallDelta(index=index, name=name, arguments=text, id=id):
                which = ("tool_use", index)
                block = {"type": "tool_use", "id": id, "name": name, "input": {}}
                piece = {"type": "input_json_delta", "partial_json": text}
        if not text and which[0] != "tool_use":
            return
        if which != self._open:
            yield from self.close()
            self._index += 1
            self._open = which
            yield _event("content_block_start", index=self._index, content_block=block)
        if text and not (which[0] == "thinking" and self._omits_thinking):
            yield self._delta(piece)

    def close(self) -> Iterator[bytes]:
        """Yield the events that end the open block."""
        if self._open is None:
            return
        if self._open[0] == "thinking":
            # Clients wait for it, and send it back.
            yield self._delta({"type": "signature_delta", "signature": ""})
        self._open = None
        yield _event("content_block_stop", index=self._index)

    def _delta(self, piece: dict[str, Any]) -> bytes:
        return _event("content_block_delta", index=self._index, delta=piece)


def _event(kind: str, **fields: Any) -> bytes:
    return server_sent({"type": kind} | fields, event=kind)


def _reason(end: AnswerEnd) -> dict[str, Any]:
    if end.stopped_by is not None:
        return {"stop_reason": "stop_sequence", "stop_sequence": end.stopped_by}
    return {"stop_reason": _STOP_REASONS.get(end.reason, "end_turn"), "stop_sequence": None}
