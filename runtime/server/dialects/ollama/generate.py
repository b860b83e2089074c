"""`/api/generate`: an answer to one prompt, a text continued, or a gap filled."""

import asyncio
from typing import Any

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.model import Model
from runtime.server.answers import Answer
from runtime.server.dialects.ollama.answer import AnswerWriter, send
from runtime.server.dialects.ollama.generate_request import GenerateRequest
from runtime.server.dialects.ollama.names import called
from runtime.server.infill import Room, infill_prompt
from runtime.server.json import JSONResponse
from runtime.server.state import ServerState, ready_state
from runtime.server.task import Task, chat_task, text_task


class GenerateAnswer(AnswerWriter):
    """Writes an answer as a text.

    Attributes:
        prompt: Its prompt's token ids where the answer is to tell the `context` for the next one.
    """

    prompt: list[int] | None = None

    def said(self, content: str, thinking: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the text."""
        return {"response": content} | ({"thinking": thinking} if thinking else {})

    def more(self, answer: Answer) -> dict[str, Any]:
        """Return the context."""
        if self.prompt is None:
            return {}
        context = self.prompt + answer.tokens
        if answer.reason == "stop" and answer.stopped_by is None:
            # The token that ends an answer is not among its own, and the next turn comes behind it.
            end = self._model.eos_piece
            context += self._model.tokenize(end, add_special=False, parse_special=True)
        return {"context": context}


async def generate(request: Request, body: GenerateRequest) -> Response:
    """Answer `POST /api/generate`."""
    state = ready_state(request)
    engine = state.engine
    name = called(body.model, state.name)
    writer = GenerateAnswer(name, engine.model, with_logprobs=bool(body.logprobs))
    if not body.prompt:
        return JSONResponse(writer.nothing(body.load_reason))
    task = await asyncio.to_thread(_task, state, body)
    # What stands for an image is worth nothing without the image.
    tells_context = not (body.raw or body.suffix or body.images)
    writer.prompt = task.prompt if tells_context else None
    return await send(request, engine, task, writer, streams=body.streams)


def _task(state: ServerState, body: GenerateRequest) -> Task:
    model = state.engine.model
    body.check(model)
    options = body.generation_options()
    if body.raw:
        prompt = model.tokenize(body.prompt, add_special=True, parse_special=True)
        return text_task(state, prompt, options)
    if body.suffix:
        return text_task(state, _infill(state, body.prompt, body.suffix), options)
    conversation = body.conversation(can_think=state.chat_format.can_think)
    task = chat_task(state, conversation, options)
    return _behind(body.context, task, model) if body.context else task


def _behind(context: list[int], task: Task, model: Model) -> Task:
    """Return the task with its prompt behind an earlier conversation."""
    begin = model.begin_tokens
    has_begin = task.prompt[: len(begin)] == begin
    prompt = context + (task.prompt[len(begin) :] if has_begin else task.prompt)
    return replace(task, requests=tuple(replace(one, prompt=prompt) for one in task.requests))


def _infill(state: ServerState, prefix: str, suffix: str) -> list[int]:
    """Return the prompt that asks for what is between two texts."""
    model = state.engine.model
    before, after = (
        model.tokenize(text, add_special=False, parse_special=False) for text in (prefix, suffix)
    )
    room = Room(num_around=state.engine.n_ctx, num_all=state.engine.n_ctx)
    return infill_prompt(model, prefix=before, suffix=after, begun=[], snippets=None, room=room)
