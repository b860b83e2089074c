"""Tests of errors as the clients of text-generation-inference see them."""

import pytest
from starlette.exceptions import HTTPException

from runtime.engine.context_size import ContextSizeError
from runtime.engine.limits import DeadlineError, QueueFullError
from runtime.errors import RequestError
from runtime.server.dialects.tgi.errors import error_body, error_status
from runtime.server.errors import LoadingError, NotSupportedError, RefusedError


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RequestError("x"), 422, "validation"),
        (ContextSizeError(900, 512), 422, "validation"),
        (NotSupportedError("x"), 422, "validation"),
        (QueueFullError(9), 429, "overloaded"),
        (DeadlineError(9), 424, "generation"),
        (ValueError("secret"), 424, "generation"),
        (LoadingError(), 503, "healthcheck"),
        (HTTPException(404), 404, "validation"),
        (RefusedError(401, "authentication_error", "x"), 401, "validation"),
        (RefusedError(503, "unavailable_error", "x"), 503, "overloaded"),
    ],
)
def test_types_and_statuses(error: Exception, status: int, kind: str) -> None:
    """Each error has the status and the type that its clients know."""
    assert (error_status(error), error_body(error)["error_type"]) == (status, kind)
    assert "secret" not in error_body(error)["error"]
