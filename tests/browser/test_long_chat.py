"""A chat of 500 messages: how soon it is there, and that it stays smooth."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat

NUM_MESSAGES = 500
# Of the page's own thread, so that a busy machine counts less; a third of each was measured.
MAX_OPEN_CPU_S = 6
MAX_TOKEN_CPU_MS = 12
TOKEN_CHARACTERS = 6
TEXT = (
    """\
Here is **number {n}**, with `code`, a list and a block:

1. one
2. two with *emphasis*

```python
def number_{n}(x: int) -> int:
    return x + {n}  # {n}
```

| a | b |
|---|---|
| {n} | {n} |

"""
    + "And a paragraph of some length that says nothing at all. " * 6
)
# Answers as a fast model does: a token every few milliseconds.
STREAM = """({ text, size }) => {
    const encoder = new TextEncoder();
    window.fetch = async () => new Response(new ReadableStream({
        async start(controller) {
            const send = (data) => controller.enqueue(encoder.encode(`data: ${data}\\n\\n`));
            for (let place = 0; place < text.length; place += size) {
                const delta = { content: text.slice(place, place + size) };
                send(JSON.stringify({ choices: [{ index: 0, delta }] }));
                await new Promise((resolve) => setTimeout(resolve, 4));
            }
            send('{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}');
            send("[DONE]");
            controller.close();
        },
    }));
}"""


def long_chat() -> str:
    """Return the file of a chat with many messages."""
    messages: list[dict[str, Any]] = []
    for number in range(NUM_MESSAGES):
        is_question = number % 2 == 0
        messages.append(
            {
                "id": f"m{number}",
                "parent": f"m{number - 1}" if number else None,
                "role": "user" if is_question else "assistant",
                "text": f"Question {number}?" if is_question else TEXT.format(n=number),
                "at": number + 1,
                "finish": "stop",
            }
        )
    chat = {"id": "long", "title": "Long", "created": 1, "updated": 1}
    chat |= {"leaf": f"m{NUM_MESSAGES - 1}", "messages": messages}
    return json.dumps({"format": "solofile-chats", "chats": [chat]})


@pytest.fixture
def chat(open_chat: OpenChat) -> Chat:
    """The page with the long chat in its list."""
    chat = open_chat(viewport={"width": 1000, "height": 720})
    chat.page.get_by_role("button", name="More").click()
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Import chats").click()
    file = {"name": "long.json", "mimeType": "application/json", "buffer": long_chat().encode()}
    chooser.value.set_files(file)  # type: ignore[arg-type]  # a mapping is taken, too
    expect(chat.chats).to_have_text(["Long"])
    return chat


def last_table(page: Page) -> Any:
    """Return the last message's table, which stands there once its Markdown is drawn."""
    return page.locator(".turn").last.locator("td").first


class Clock:
    """The processor time that a page's thread has taken."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds(self) -> float:
        """Return it, from some moment on."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def test_a_long_chat_opens_at_its_end(chat: Chat, page: Page) -> None:
    """It opens at its end with little work: only what is near is drawn, the rest by scrolling."""
    clock = Clock(page)
    start = clock.seconds()
    page.locator("#chats a").click()
    expect(last_table(page)).to_be_in_viewport()
    assert 0 < clock.seconds() - start < MAX_OPEN_CPU_S
    assert page.locator("td").count() < NUM_MESSAGES
    page.evaluate("() => window.scrollTo(0, 0)")
    expect(page.locator(".turn").nth(1).locator("td").first).to_be_in_viewport()
    expect(page.get_by_text("Question 0?")).to_be_in_viewport()


def test_an_answer_streams_smoothly_at_the_end(chat: Chat, page: Page) -> None:
    """Each token of an answer takes less than a frame, and the end stays in view."""
    chat.chats.first.click()
    expect(last_table(page)).to_be_in_viewport()
    text = TEXT.format(n=0) * 3
    page.evaluate(STREAM, {"text": text, "size": TOKEN_CHARACTERS})
    # Not by roles: to look for those among so much takes longer than the answer.
    page.locator("#input").fill("One more?")
    clock = Clock(page)
    start = clock.seconds()
    page.keyboard.press("Enter")
    page.locator(".turn:last-child .after:not([hidden])").wait_for()
    took = clock.seconds() - start
    assert 0 < took / (len(text) / TOKEN_CHARACTERS) < MAX_TOKEN_CPU_MS / 1000
    expect(page.locator(".turn:last-child .after")).to_be_in_viewport()


def test_a_long_chat_is_searched_soon(chat: Chat) -> None:
    """Search goes through all messages while one types."""
    chat.search.fill("number_499(x")
    expect(chat.chats).to_have_text(["Long"])
    chat.search.fill("number_500(x")
    expect(chat.chats).to_have_count(0)
