"""Errors as clients see them: llama-server's error object and status codes."""

import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.embedding import InputSizeError
from runtime.engine.engine import ContextSizeError, NoTextError
from runtime.engine.limits import BusyError
from runtime.errors import AppError, RequestError
from runtime.server.json import JSONResponse

logger = logging.getLogger(__name__)

# When a client may ask again after it came at a busy time.
RETRY_AFTER_S = 1


class NotSupportedError(RequestError):
    """The request asks for something this server does not do."""


class LoadingError(RequestError):
    """The model is not loaded yet."""

    def __init__(self) -> None:
        super().__init__("Loading model")


def error_body(error: Exception) -> dict[str, Any]:
    """Return the JSON that tells a client of an error."""
    code, kind = _code_and_kind(error)
    facts: dict[str, Any] = {"code": code, "message": _message(error), "type": kind}
    if isinstance(error, ContextSizeError):
        facts |= {"n_prompt_tokens": error.num_prompt_tokens, "n_ctx": error.n_ctx}
    if isinstance(error, InputSizeError):
        facts |= {"n_prompt_tokens": error.num_tokens, "n_ctx": error.max_tokens}
    return {"error": facts}


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer a request that failed; what is no client's mistake is logged."""
    if not isinstance(error, AppError | HTTPException):
        logger.error("%s %s failed.", request.method, request.url.path, exc_info=error)
    body = error_body(error)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if isinstance(error, BusyError) else None
    return JSONResponse(body, status_code=body["error"]["code"], headers=headers)


def _code_and_kind(error: Exception) -> tuple[int, str]:
    match error:
        case ContextSizeError() | InputSizeError():
            return 400, "exceed_context_size_error"
        case NotSupportedError() | NoTextError():
            return 501, "not_supported_error"
        case LoadingError() | BusyError():
            return 503, "unavailable_error"
        case RequestError():
            return 400, "invalid_request_error"
        case HTTPException(status_code=404):
            return 404, "not_found_error"
        case HTTPException(status_code=code):
            return code, "invalid_request_error"
        case _:
            return 500, "server_error"


def _message(error: Exception) -> str:
    match error:
        case AppError():
            return str(error)
        case HTTPException(detail=detail):
            return detail
        case _:
            return "The server failed to answer; its log says why."
