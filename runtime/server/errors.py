"""Errors as clients see them: llama-server's error object and status codes."""

import importlib
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.context_size import ContextSizeError
from runtime.engine.embedding import InputSizeError
from runtime.engine.engine import NoTextError
from runtime.engine.limits import BusyError
from runtime.errors import (
    AppError,
    DamagedFileError,
    RequestError,
    UnsupportedError,
    UsageError,
)
from runtime.server.json import JSONResponse

logger = logging.getLogger(__name__)

ErrorBody = Callable[[Exception], dict[str, Any]]
ErrorStatus = Callable[[Exception], int]

# Dialects with errors of a form of their own, in their module `errors`.
_DIALECTS_OF_PATHS = {
    "/api/": "ollama",
    "/v1/messages": "anthropic",
    "/chat_tokenize": "tgi",
    "/generate": "tgi",
    "/info": "tgi",
    "/ping": "tgi",
}
_SEE_LOG = "The server failed to answer; its log says why."
# When a client may ask again after it came at a busy time.
RETRY_AFTER_S = 1


class NotSupportedError(RequestError):
    """The request asks for something this server does not do."""


class NoSlotError(RequestError):
    """As many requests run as may, and the client asked to be told."""

    def __init__(self) -> None:
        super().__init__("no slot available")


class LoadingError(RequestError):
    """The model is not loaded yet.

    Args:
        progress: The share of the weights that is in memory; None where that is not known.
    """

    def __init__(self, progress: float | None = None) -> None:
        super().__init__("Loading model")
        self.progress = progress


class RefusedError(RequestError):
    """A request may not be made, or not like this; no route has seen it.

    Args:
        code: The HTTP status.
        kind: llama-server's name for errors like it.
        message: What is refused, and what to do.
    """

    def __init__(self, code: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind


class ErrorFacts(msgspec.Struct, frozen=True):
    """What a client is told of an error, whatever dialect it speaks.

    Args:
        code: The HTTP status.
        kind: llama-server's name for errors like it.
        message: What failed, and what to do.
        details: More fields, as llama-server names them.
    """

    code: int
    kind: str
    message: str
    details: dict[str, Any]


def error_facts(error: Exception) -> ErrorFacts:
    """Return what a client is told of an error."""
    code, kind = _code_and_kind(error)
    details: dict[str, Any] = {}
    if isinstance(error, ContextSizeError):
        details = {"n_prompt_tokens": error.num_prompt_tokens, "n_ctx": error.n_ctx}
    if isinstance(error, InputSizeError):
        details = {"n_prompt_tokens": error.num_tokens, "n_ctx": error.max_tokens}
    if isinstance(error, LoadingError) and error.progress is not None:
        details = {"progress": round(error.progress, 3)}
    return ErrorFacts(code, kind, _message(error), details)


def error_body(error: Exception) -> dict[str, Any]:
    """Return the JSON that tells a client of an error, in llama-server's and OpenAI's form."""
    facts = error_facts(error)
    told = {"code": facts.code, "message": facts.message, "type": facts.kind}
    return {"error": told | facts.details}


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer a request that failed; what is no client's mistake is logged."""
    if error_facts(error).kind == "server_error":
        logger.error("%s %s failed.", request.method, request.url.path, exc_info=error)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if isinstance(error, BusyError) else None
    path = request.url.path
    body = error_body_of(path)(error)
    return JSONResponse(body, status_code=error_status_of(path)(error), headers=headers)


def error_status(error: Exception) -> int:
    """Return the HTTP status that tells of an error, in most dialects."""
    return error_facts(error).code


def error_body_of(path: str) -> ErrorBody:
    """Return what makes the JSON of errors in the dialect that a path is of."""
    body: ErrorBody = getattr(_errors_of(path), "error_body", error_body)
    return body


def error_status_of(path: str) -> ErrorStatus:
    """Return what chooses the status of errors in the dialect that a path is of."""
    status: ErrorStatus = getattr(_errors_of(path), "error_status", error_status)
    return status


def _errors_of(path: str) -> ModuleType | None:
    """Return the module `errors` of the dialect that a path is of, where it has one."""
    # The page is at the root, too, but it has no errors of its own.
    names = ["tgi"] if path == "/" else []
    names += [name for prefix, name in _DIALECTS_OF_PATHS.items() if path.startswith(prefix)]
    if not names:
        return None
    return importlib.import_module(f"runtime.server.dialects.{names[0]}.errors")


def _code_and_kind(error: Exception) -> tuple[int, str]:
    match error:
        case RefusedError(code=code, kind=kind):
            return code, kind
        case ContextSizeError() | InputSizeError():
            return 400, "exceed_context_size_error"
        case NotSupportedError() | NoTextError():
            return 501, "not_supported_error"
        case LoadingError() | NoSlotError() | BusyError():
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
        # Their sentences are for who started the server, and name files.
        case DamagedFileError() | UnsupportedError() | UsageError():
            return _SEE_LOG
        case AppError():
            return str(error)
        case HTTPException(detail=detail):
            return detail
        case _:
            return _SEE_LOG
