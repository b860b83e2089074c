"""Where the page keeps chats on the server: `--history`."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runtime.server.json import JSONResponse
from runtime.server.state import state_of

if TYPE_CHECKING:
    from runtime.server.history_file import HistoryFile


class WholeChat(msgspec.Struct):
    """A chat's facts, and messages of it."""

    record: dict[str, Any]
    messages: list[dict[str, Any]]


class Search(msgspec.Struct):
    """What is looked for."""

    text: str


async def list_chats(request: Request) -> Response:
    """Answer `GET /history/chats`."""
    return await _done(request, lambda history: history.chats())


async def list_messages(request: Request) -> Response:
    """Answer `GET /history/chats/{id}/messages`."""
    chat = request.path_params["id"]
    return await _done(request, lambda history: history.messages(chat))


async def put_chat(request: Request, body: WholeChat) -> Response:
    """Answer `PUT /history/chats/{id}`."""
    record = body.record | {"id": request.path_params["id"]}
    return await _done(request, lambda history: history.put(record, body.messages))


async def change_chat(request: Request, body: dict[str, Any]) -> Response:
    """Answer `PATCH /history/chats/{id}`."""
    chat = request.path_params["id"]
    return await _done(request, lambda history: history.change(chat, body))


async def remove_chat(request: Request) -> Response:
    """Answer `DELETE /history/chats/{id}`."""
    chat = request.path_params["id"]
    return await _done(request, lambda history: history.remove(chat))


async def put_message(request: Request, body: dict[str, Any]) -> Response:
    """Answer `PUT /history/messages/{id}`."""
    message = body | {"id": request.path_params["id"]}
    return await _done(request, lambda history: history.put_message(message))


async def remove_messages(request: Request, body: list[str]) -> Response:
    """Answer `POST /history/remove_messages`, whose body names them."""
    return await _done(request, lambda history: history.remove_messages(body))


async def find(request: Request, body: Search) -> Response:
    """Answer `POST /history/find` with the ids of chats."""
    return await _done(request, lambda history: history.find(body.text))


async def _done(request: Request, work: Callable[["HistoryFile"], object]) -> Response:
    history = state_of(request).history
    if history is None:
        raise HTTPException(404)
    return JSONResponse(await asyncio.to_thread(work, history))
