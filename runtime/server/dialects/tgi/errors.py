"""Errors as text-generation-inference tells them."""

from typing import Any

from runtime.engine.limits import QueueFullError
from runtime.server.errors import LoadingError, RefusedError, error_facts

_KINDS = {424: "generation", 429: "overloaded", 503: "overloaded"}


def error_status(error: Exception) -> int:
    """Return the HTTP status of an error, which is not always that of other dialects."""
    code = error_facts(error).code
    match error:
        case LoadingError() | RefusedError():
            return code
        case QueueFullError():
            return 429
    if code in (400, 501):
        return 422
    return 424 if code >= 500 else code


def error_body(error: Exception) -> dict[str, Any]:
    """Return the JSON that tells a client of an error."""
    kind = _KINDS.get(error_status(error), "validation")
    if isinstance(error, LoadingError):
        kind = "healthcheck"
    return {"error": error_facts(error).message, "error_type": kind}
