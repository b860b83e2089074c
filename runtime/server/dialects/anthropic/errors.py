"""Errors as Anthropic's API tells them."""

from typing import Any

from runtime.server.errors import error_facts

# https://docs.anthropic.com/en/api/errors
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def error_body(error: Exception) -> dict[str, Any]:
    """Return the JSON that tells a client of an error."""
    facts = error_facts(error)
    kind = _TYPES.get(facts.code, "invalid_request_error" if facts.code < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": facts.message}}
