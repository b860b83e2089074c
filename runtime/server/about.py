"""The pages about this solofile: what is inside, and how programs use it."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from runtime.container import Container
from runtime.payload import Payload
from runtime.server.pages import page
from runtime.server.state import state_of


async def about(request: Request) -> Response:
    """Answer `GET /page/about` with the manifest's facts and the licence texts."""
    payload = state_of(request).payload
    licences = await run_in_threadpool(_licences, payload) if payload else []
    return page(
        request,
        "about.html",
        manifest=payload.manifest if payload else None,
        path=payload.path if payload else None,
        licences=licences,
    )


async def code_samples(request: Request) -> Response:
    """Answer `GET /page/code` with what to copy into programs."""
    return page(request, "code.html")


def _licences(payload: Payload) -> list[tuple[str, str]]:
    """Return the names and texts of the licences inside."""
    entries = payload.manifest.entries if payload.manifest else []
    names = [entry.name for entry in entries if entry.role == "licence"]
    if not names:
        return []
    with Container.open(payload.path) as container:
        return [(name, container.read(name).decode(errors="replace")) for name in names]
