"""Files that go with a question, and what else an answer may carry than text."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.answers import answer_with, end, send_chunks
from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat
from tests.images import png

CODE = 'def f():\n    return "```"\n'
DROP = """(node, { name, type, data }) => {
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    for (const kind of ["dragover", "drop"]) {
        node.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true }));
    }
}"""
PASTE = """(node, { name, type, data }) => {
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    const options = { clipboardData: transfer, bubbles: true, cancelable: true };
    node.dispatchEvent(new ClipboardEvent("paste", options));
}"""


@pytest.fixture
def chat(open_chat: OpenChat) -> Chat:
    """The page; answers are made up."""
    chat = open_chat(viewport={"width": 1000, "height": 720})
    answer_with(chat.page, "I see.")
    return chat


def see(page: Page) -> None:
    """Have the server say that its model sees, and load the page anew."""

    def answer(route: Route) -> None:
        facts = route.fetch().json()
        facts["modalities"]["vision"] = True
        route.fulfill(json=facts)

    page.route("**/props", answer)
    with page.expect_response("**/props"):
        page.reload()


def hand_over(chat: Chat, how: str, name: str, kind: str, data: bytes) -> None:
    """Drop or paste a file into the message."""
    given = {"name": name, "type": kind, "data": base64.b64encode(data).decode()}
    chat.message.evaluate(how, given)


def asked(chat: Chat, question: str) -> Any:
    """Send a question, and return the content of the message as the model gets it."""
    chat.message.fill(question)
    with chat.page.expect_request("**/v1/chat/completions") as caught:
        chat.message.press("Enter")
    chat.wait_for_answer()
    return json.loads(caught.value.post_data or "")["messages"][-1]["content"]


def test_a_text_goes_in_front_of_the_question(chat: Chat, page: Page, tmp_path: Path) -> None:
    """A chosen file is sent as a fenced block that its own fences cannot end."""
    (tmp_path / "f.py").write_text(CODE, encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files(tmp_path / "f.py")
    expect(page.locator("#attachments")).to_have_text("f.py")
    content = asked(chat, "What does it do?")
    assert content == f"f.py:\n````\n{CODE}\n````\n\nWhat does it do?"
    expect(page.locator("#attachments")).to_be_hidden()
    expect(page.locator(".mine .attachment")).to_have_text("f.py")
    page.reload()
    expect(page.locator(".mine .attachment")).to_have_text("f.py")


def test_an_attachment_can_be_taken_away(chat: Chat, page: Page) -> None:
    """Before it is sent, a file can be removed; with a file alone there is something to send."""
    hand_over(chat, DROP, "a.txt", "text/plain", b"A")
    expect(chat.send).to_be_enabled()
    page.get_by_role("button", name="Remove a.txt").click()
    expect(chat.send).to_be_disabled()


@pytest.mark.parametrize("how", [DROP, PASTE], ids=["drop", "paste"])
def test_an_image_is_sent_to_a_model_that_sees(chat: Chat, page: Page, how: str) -> None:
    """An image becomes a part of the message, drawn anew as PNG."""
    see(page)
    hand_over(chat, how, "red.png", "image/png", png(1))
    expect(page.locator("#attachments img")).to_be_visible()
    image, text = asked(chat, "What is it?")
    assert image["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    assert text == {"type": "text", "text": "What is it?"}
    expect(page.locator(".mine .attachment img")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "kind", "data", "words"),
    [
        ("red.png", "image/png", png(1), "red.png is an image, and this model reads text alone."),
        ("a.pdf", "application/pdf", b"%PDF-1.7\xff\xfe", "a.pdf is no text."),
        ("a.bin", "", b"a\0b", "a.bin is no text."),
        ("a.txt", "text/plain", b"a" * 2_000_001, "a.txt is too large for a chat."),
    ],
)
def test_what_cannot_be_read_is_told(
    chat: Chat, name: str, kind: str, data: bytes, words: str
) -> None:
    """A file of no use is refused with its name and why."""
    hand_over(chat, DROP, name, kind, data)
    expect(chat.toast).to_contain_text(words)
    expect(chat.send).to_be_disabled()


def test_a_broken_image_is_told(chat: Chat, page: Page) -> None:
    """What calls itself an image and is none is refused."""
    see(page)
    hand_over(chat, DROP, "red.png", "image/png", b"not an image")
    expect(chat.toast).to_contain_text("red.png is no image that this browser reads.")


def test_reasoning_is_folded(chat: Chat, page: Page) -> None:
    """Thoughts are there for who wants them, and are not part of what is copied or sent."""
    answer_with(page, "42.", reasoning="Six times seven.")
    chat.ask("What is six times seven?")
    thought = page.get_by_text("Six times seven.")
    expect(thought).to_be_hidden()
    page.get_by_text("Thinking").click()
    expect(thought).to_be_visible()
    body = asked(chat, "Sure?")
    assert body == "Sure?"


def test_tool_calls_are_shown(chat: Chat, page: Page) -> None:
    """A call comes in pieces, and is shown folded with its arguments."""

    def piece(**function: str) -> dict[str, Any]:
        call = {"index": 0, "function": function}
        return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}

    calls = (piece(name="weather", arguments='{"city":'), piece(arguments='"<b>Rome"}'))
    send_chunks(page, *calls, end())
    chat.ask("How is the weather?")
    page.get_by_text("Called weather").click()
    expect(page.locator(".calls code")).to_have_text('{\n  "city": "<b>Rome"\n}')
