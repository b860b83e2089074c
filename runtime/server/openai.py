"""OpenAI's dialect: `/v1/models` and `/v1/chat/completions`, with llama-server's additions."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from runtime.engine.sequence import Failed
from runtime.server.chat_answer import ChatAnswer
from runtime.server.chat_request import ChatRequest, to_generations
from runtime.server.errors import LoadingError
from runtime.server.generation import generate, unless_gone
from runtime.server.json import JSONResponse, read_json
from runtime.server.state import state_of


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
    requests = to_generations(body, state)
    events = generate(state.engine, requests)
    answer = ChatAnswer(state.name, state.engine.model, with_logprobs=bool(body.logprobs))
    if not body.stream:
        return JSONResponse(await unless_gone(request, answer.whole(events, len(requests))))
    # What is wrong with the request shows before the first event, while a status can be sent.
    first = await anext(events)
    if isinstance(first.event, Failed):
        await events.aclose()
        raise first.event.error
    include_usage = bool(body.stream_options and body.stream_options.include_usage)
    stream = answer.stream(first, events, len(requests), include_usage=include_usage)
    return StreamingResponse(stream, media_type="text/event-stream")


ROUTES = [
    Route(f"{prefix}{path}", endpoint, methods=[method])
    for prefix in ("/v1", "")
    for path, endpoint, method in (
        ("/models", list_models, "GET"),
        ("/chat/completions", chat_completions, "POST"),
    )
]
