"""The application: routes and error handlers put together."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from runtime.errors import AppError
from runtime.server import pages
from runtime.server.errors import answer_error
from runtime.server.generation import ClientGoneError, answer_nobody
from runtime.server.routes import ENDPOINTS
from runtime.server.state import ServerState


def create_app(state: ServerState) -> Starlette:
    """Return the application that serves one engine."""
    app = Starlette(
        routes=[
            *(route for endpoint in ENDPOINTS for route in endpoint.routes()),
            *pages.routes(),
        ],
        exception_handlers={
            AppError: answer_error,
            HTTPException: answer_error,
            ClientGoneError: answer_nobody,
            ClientDisconnect: answer_nobody,
            Exception: answer_error,
        },
    )
    app.state.server = state
    return app
