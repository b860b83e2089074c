"""`/tokenize`, which llama-server and text-generation-inference both have: the body tells which."""

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.dialects.llama_server import tokens
from runtime.server.dialects.tgi.tokenize import tokenize as tgi_tokenize


class EitherTokenizeBody(tokens.TokenizeBody):
    """llama-server's body, or text-generation-inference's with `inputs`."""

    inputs: str | None = None


async def tokenize(request: Request, body: EitherTokenizeBody) -> Response:
    """Answer `POST /tokenize`."""
    if body.inputs is None:
        return await tokens.tokenize(request, body)
    return await tgi_tokenize(request, body.inputs)
