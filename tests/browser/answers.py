"""Answers that a test decides on, sent to the page in place of the model's."""

import json
from typing import Any

from playwright.sync_api import Page, Route

from tests.browser.chat import COMPLETIONS


def answer_with(page: Page, text: str, *, reasoning: str = "", **last: Any) -> None:
    """Have every question answered with a text; `last` holds more of the last chunk's fields."""
    delta: dict[str, Any] = {"content": text}
    if reasoning:
        delta["reasoning_content"] = reasoning
    send_chunks(page, {"choices": [{"index": 0, "delta": delta}]}, end(**last))


def end(**fields: Any) -> dict[str, Any]:
    """Return the chunk that ends an answer."""
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **fields}


def send_chunks(page: Page, *chunks: dict[str, Any]) -> None:
    """Have every question answered with these chunks."""
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"

    def answer(route: Route) -> None:
        route.fulfill(headers={"Content-Type": "text/event-stream"}, body=body)

    page.unroute(COMPLETIONS)
    page.route(COMPLETIONS, answer)
