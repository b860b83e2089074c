"""Errors as Ollama tells them."""

from typing import Any

from runtime.server.errors import error_facts


def error_body(error: Exception) -> dict[str, Any]:
    """Return the JSON that tells a client of an error."""
    return {"error": error_facts(error).message}
