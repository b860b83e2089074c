"""`/v1/prompts`: beginnings of conversations that are computed ahead, and stay in memory."""

import asyncio
import time
from contextlib import aclosing
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runtime.chat.conversation import Conversation
from runtime.chat.images import MarkedImages
from runtime.chat.shared_prefix import shared_prefix
from runtime.engine.engine import Engine
from runtime.engine.pins import Pin
from runtime.engine.sequence import Failed, GenerationRequest
from runtime.errors import RequestError
from runtime.server.dialects.openai.chat_request import ChatMessage, FunctionTool
from runtime.server.fields.lora import LoraScale, lora_scales
from runtime.server.fields.tool_use import tool_use
from runtime.server.generation import generate, unless_gone
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state


class PinRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /v1/prompts`: what conversations begin with.

    No client of other servers sends it, so a field that is not known is a mistake. There is one
    model, and any name is taken for it.
    """

    model: str = ""
    messages: list[ChatMessage] = []
    tools: list[FunctionTool] | None = None
    chat_template_kwargs: dict[str, Any] = {}
    lora: list[LoraScale] | None = None

    def conversation(self) -> Conversation:
        """Return it as a conversation that nobody has asked anything in.

        Raises:
            RequestError: A message or a tool cannot be used, or there are images.
        """
        messages = [message.to_template() for message in self.messages]
        if MarkedImages(messages).files:
            raise RequestError("Prompts with images are not pinned.", hint="Send text alone.")
        tools = [tool.to_tool() for tool in self.tools or ()]
        return Conversation(
            messages,
            tool_use=tool_use(tools, "auto", is_parallel=True),
            template_arguments=self.chat_template_kwargs,
        )


async def pin(request: Request, body: PinRequest) -> Response:
    """Answer `POST /v1/prompts`, when the prompt is computed.

    Raises:
        PinError: There is no room for it.
        RequestError: The prompt cannot be used.
    """
    state = ready_state(request)
    engine = state.engine
    tokens = await asyncio.to_thread(lambda: shared_prefix(state.chat_format, body.conversation()))
    lora = lora_scales(body.lora)
    generation = GenerationRequest(tokens, max_tokens=0, lora=lora, timeout_s=state.timeout_s)
    known = engine.pins.current()
    made = engine.pins.keep(tokens, engine.adapters.resolve(lora), engine.n_ctx)
    try:
        await unless_gone(request, _compute(engine, generation))
    except BaseException:
        if made.id not in known:
            engine.pins.release(made.id)
        raise
    return JSONResponse(_told(engine, made))


async def list_pins(request: Request) -> Response:
    """Answer `GET /v1/prompts`: the pinned prompts, without their texts."""
    engine = ready_state(request).engine
    data = [_told(engine, one) for one in engine.pins.current().values()]
    return JSONResponse({"object": "list", "data": data})


async def unpin(request: Request) -> Response:
    """Answer `DELETE /v1/prompts/{id}`.

    Raises:
        HTTPException: There is no such prompt.
        PinError: It is built in.
    """
    id = request.path_params["id"]
    if not ready_state(request).engine.pins.release(id):
        raise HTTPException(404, "There is no such pinned prompt.")
    return JSONResponse({"id": id, "object": "prompt.deleted", "deleted": True})


async def _compute(engine: Engine, generation: GenerationRequest) -> None:
    async with aclosing(generate(engine, [generation])) as events:
        async for event in events:
            if isinstance(event.event, Failed):
                raise event.event.error


def _told(engine: Engine, one: Pin) -> dict[str, Any]:
    left_s = None if one.until is None else max(0, round(one.until - time.monotonic()))
    return {
        "id": one.id,
        "object": "prompt",
        "source": one.source,
        "tokens": len(one.tokens),
        "loaded": one.id in engine.pins.loaded,
        "expires_in_s": left_s,
    }
