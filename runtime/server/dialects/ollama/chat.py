"""`/api/chat`."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.dialects.ollama.answer import AnswerWriter, send
from runtime.server.dialects.ollama.chat_request import OllamaChatRequest
from runtime.server.dialects.ollama.names import called
from runtime.server.json import JSONResponse
from runtime.server.state import ServerState, ready_state
from runtime.server.task import Task, chat_task


class ChatAnswer(AnswerWriter):
    """Writes an answer as a message."""

    def said(self, content: str, thinking: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the message."""
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if thinking:
            message["thinking"] = thinking
        if calls:
            message["tool_calls"] = calls
        return {"message": message}


async def chat(request: Request, body: OllamaChatRequest) -> Response:
    """Answer `POST /api/chat`."""
    state = ready_state(request)
    engine = state.engine
    name = called(body.model, state.name)
    writer = ChatAnswer(name, engine.model, with_logprobs=bool(body.logprobs))
    if not body.messages:
        return JSONResponse(writer.nothing(body.load_reason))
    task = await asyncio.to_thread(_task, state, body)
    return await send(request, engine, task, writer, streams=body.streams)


def _task(state: ServerState, body: OllamaChatRequest) -> Task:
    conversation = body.conversation(can_think=state.chat_format.can_think)
    return chat_task(state, conversation, body.generation_options())
