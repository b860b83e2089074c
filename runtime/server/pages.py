"""The chat page and its files."""

import mimetypes
import sys
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from runtime import __version__
from runtime.branding import Branding
from runtime.engine.pooling import Pooling
from runtime.server.languages import choose_language, languages
from runtime.server.own_page import is_own_page
from runtime.server.routes import Endpoint
from runtime.server.state import state_of

# Nothing from outside, nothing inline: model output can never run as code.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

# For the page alone, so no part of the API. What lies under /page needs no key to be read.
_PAGE_ENDPOINTS = (
    Endpoint("GET", ("/page/presence",), "presence", "presence", "Held while a page is open"),
    Endpoint("GET", ("/page/about",), "about", "about", "What is inside"),
    Endpoint("GET", ("/page/code",), "about", "code_samples", "How programs use the server"),
    Endpoint("GET", ("/page/brand.css",), "brand", "brand_css", "The builder's colour"),
    Endpoint("GET", ("/page/icon",), "brand", "icon", "The builder's icon"),
    Endpoint("POST", ("/page/quit",), "presence", "quit_server", "Ends the server"),
    Endpoint("GET", ("/history/chats",), "history", "list_chats", "All chats"),
    Endpoint("PUT", ("/history/chats/{id}",), "history", "put_chat", "Keeps a chat"),
    Endpoint("PATCH", ("/history/chats/{id}",), "history", "change_chat", "Changes a chat"),
    Endpoint("DELETE", ("/history/chats/{id}",), "history", "remove_chat", "Forgets a chat"),
    Endpoint("GET", ("/history/chats/{id}/messages",), "history", "list_messages", "Its messages"),
    Endpoint("PUT", ("/history/messages/{id}",), "history", "put_message", "Keeps a message"),
    Endpoint(
        "POST",
        ("/history/remove_messages",),
        "history",
        "remove_messages",
        "Forgets messages",
    ),
    Endpoint("POST", ("/history/find",), "history", "find", "Chats that hold a text"),
)

# Some clients compare the text.
OLLAMA_RUNS = "Ollama is running"


def page_folder() -> Path:
    """Return the folder with the page's files."""
    root = Path(getattr(sys, "_MEIPASS", Path(__file__).parents[2]))
    return root / "templates" / "page"


async def index(request: Request) -> Response:
    """Answer `GET /` with the chat page, or for a model that does not chat with what it does.

    Clients of Ollama look here for whether it runs, and do not ask for a page.
    """
    if "text/html" not in request.headers.get("Accept", "text/html"):
        return PlainTextResponse(OLLAMA_RUNS)
    state = state_of(request)
    pooling = state.pooling
    if state.engine.is_ready and not state.engine.model.generates_text:
        pooling = state.engine.embeds.pooling.label
    return page(
        request,
        "embeddings.html" if pooling else "index.html",
        ranks=pooling == Pooling.RANK.label,
    )


def page(request: Request, template: str, **variables: Any) -> Response:
    """Return a page made from one of the templates, in the reader's language."""
    known = languages(page_folder() / "languages")
    tag = choose_language(request, known)
    language = known[tag]
    state = state_of(request)
    branding = state.payload.branding if state.payload else Branding()
    # Relative, for proxies that serve the page in a folder; the policy forbids a base.
    root = "../" * (request.url.path.count("/") - 1)
    html = (
        _environment()
        .get_template(template)
        .render(
            title=branding.title or state.name,
            name=state.name,
            branding=branding,
            root=root,
            version=__version__,
            base=request.base_url,
            may_quit=is_own_page(request),
            keeps_history=state.history is not None,
            language=tag,
            direction=language.direction,
            languages=known,
            texts=language.texts,
            t=language.texts.__getitem__,
            **variables,
        )
    )
    varies = {"Content-Language": tag, "Vary": "Accept-Language, Cookie"}
    return HTMLResponse(html, headers=PAGE_HEADERS | varies)


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(page_folder()), autoescape=True)


class _PageFiles(StaticFiles):
    """The page's files, but for its template, with the page's headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.endswith(".html"):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers.update(PAGE_HEADERS)
        return response


def routes() -> list[Route | Mount]:
    """Return the page's routes."""
    # A registry or /etc/mime.types that says otherwise would keep the page from running; reading
    # the latter takes ten milliseconds of every start.
    mimetypes.knownfiles.clear()
    for suffix, kind in (".js", "text/javascript"), (".css", "text/css"), (".svg", "image/svg+xml"):
        mimetypes.add_type(kind, suffix)
    return [
        Route("/", index, methods=["GET"]),
        *(route for endpoint in _PAGE_ENDPOINTS for route in endpoint.routes()),
        Mount("/page", _PageFiles(directory=page_folder(), check_dir=False)),
    ]
