"""What Ollama does with models beside running them; here there is one, and it does not change."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime.server.dialects.ollama.answer import NDJSON
from runtime.server.dialects.ollama.names import full_name, is_own
from runtime.server.errors import NotSupportedError
from runtime.server.json import JSONResponse, encode
from runtime.server.state import state_of


class PullRequest(msgspec.Struct):
    """The body of `/api/pull`; `name` is the older name of `model`."""

    model: str = ""
    name: str = ""
    stream: bool | None = None


async def pull(request: Request, body: PullRequest) -> Response:
    """Answer `POST /api/pull`: the model that is inside is there already.

    Raises:
        NotSupportedError: Another one is asked for.
    """
    state = state_of(request)
    asked = body.model or body.name
    if not is_own(asked, state.name):
        raise NotSupportedError(
            f"This server has the model {full_name(state.name)} and fetches no other.",
            hint="It answers under any name.",
        )
    done = {"status": "success"}
    if body.stream is False:
        return JSONResponse(done)
    return Response(encode(done) + b"\n", media_type=NDJSON)


async def refuse(request: Request) -> Response:
    """Answer what would make, copy, delete or upload models.

    Raises:
        NotSupportedError: Always.
    """
    raise NotSupportedError(
        "This server has one model, built in, and makes, copies, deletes and uploads none.",
        hint="Build another solofile for another model.",
    )
