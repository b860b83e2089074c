"""Errors as text-generation-inference tells them."""

from typing import Any

from runtime.server.errors import error_facts


def error_body(error: Exception) -> dict[str, Any]:
    """Return the JSON that tells a client of an error."""
    facts = error_facts(error)
    if facts.code == 503:
        return {"error": facts.message, "error_type": "overloaded"}
    kind = "validation" if facts.code < 500 else "generation"
    return {"error": facts.message, "error_type": kind}
