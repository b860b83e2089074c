"""Talking to a real model on the page: sending, stopping, trying again, keeping."""

import json
import re
from typing import Any

from playwright.sync_api import Page, Request, expect

from tests.browser.chat import STORY, Chat
from tests.browser.conftest import OpenChat, Watch

IS_LONGER = """(length) =>
    [...document.querySelectorAll(".text")].at(-1).innerText.length > length"""


def is_completion(request: Request) -> bool:
    """Tell whether a request asks the model for something."""
    return request.url.endswith("/v1/chat/completions")


def body_of(request: Request) -> Any:
    """Return what a request carries."""
    return json.loads(request.post_data or "")


def place_of_view(page: Page) -> float:
    """Return how far the page is scrolled, in CSS pixels."""
    return float(page.evaluate("() => document.scrollingElement.scrollTop"))


def test_an_answer_streams(chat: Chat, page: Page) -> None:
    """Words appear while the answer is written, and at the end its speed is told."""
    chat.start_story(300)
    expect(chat.stop).to_be_visible()
    early = chat.answers.last.inner_text()
    whole = chat.wait_for_answer()
    assert len(whole) > len(early) > 0
    expect(chat.questions).to_have_text([STORY])
    expect(chat.facts.last).to_have_text(re.compile(r"[\d,]+ tokens · [\d,.]+ tokens/s$"))
    expect(chat.message).to_be_focused()
    expect(chat.message).to_have_value("")


def test_the_whole_conversation_is_sent(chat: Chat, page: Page) -> None:
    """The model sees earlier questions and answers again, as they were written."""
    first = chat.ask("My name is Ada. Say hello.")
    with page.expect_request(is_completion) as asked:
        chat.ask("What is my name?")
    body = body_of(asked.value)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"].split()[:2] == first.split()[:2]
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_stop_ends_the_answer_and_keeps_it(chat: Chat, page: Page) -> None:
    """After Stop nothing more is written, and the chat can go on."""
    chat.start_story()
    chat.stop.click()
    text = chat.wait_for_answer()
    assert text
    page.wait_for_timeout(500)
    assert chat.answers.last.inner_text() == text
    expect(chat.facts.last).to_have_text("Stopped")
    expect(chat.send).to_be_visible()
    chat.configure(max_tokens="16")
    assert chat.ask("Say hello.")


def test_escape_stops_too(chat: Chat) -> None:
    """The Escape key in the field does what Stop does."""
    chat.start_story()
    chat.message.press("Escape")
    chat.wait_for_answer()
    expect(chat.facts.last).to_have_text("Stopped")


def test_new_chat_starts_empty(chat: Chat) -> None:
    """A new chat has no messages, and the one before stays in the list."""
    answer = chat.ask("Say hello.")
    chat.new_chat.click()
    expect(chat.questions).to_have_count(0)
    expect(chat.new_chat).to_be_disabled()
    expect(chat.message).to_be_focused()
    chat.chats.get_by_text("Say hello.").click()
    expect(chat.questions).to_have_text(["Say hello."])
    assert chat.wait_for_answer() == answer


def test_an_answer_goes_on_while_another_chat_is_read(chat: Chat, page: Page) -> None:
    """What was left behind is written to its end, into its own chat."""
    chat.start_story(300)
    early = chat.answers.last.inner_text()
    chat.new_chat.click()
    expect(chat.answers).to_have_count(0)
    expect(chat.stop).to_be_hidden()
    expect(page.locator(".entry.busy")).to_have_count(1)
    expect(page.locator(".entry.busy")).to_have_count(0, timeout=30_000)
    expect(chat.answers).to_have_count(0)
    page.go_back()
    whole = chat.wait_for_answer()
    assert whole.startswith(early.strip()[:20])
    assert len(whole) > len(early)
    expect(chat.facts).to_contain_text("300 tokens")


def test_a_reload_keeps_the_conversation(chat: Chat, page: Page) -> None:
    """Questions, answers and their facts are there again after a reload."""
    answer = chat.ask("Say hello.")
    facts = chat.facts.last.inner_text()
    page.reload()
    expect(chat.questions).to_have_text(["Say hello."])
    assert chat.wait_for_answer() == answer
    expect(chat.facts).to_have_text([facts])


def test_a_reload_keeps_half_an_answer(chat: Chat, page: Page) -> None:
    """An answer that a reload cut off stays as far as it came."""
    chat.start_story()
    early = chat.answers.last.inner_text().strip()
    page.reload()
    assert chat.wait_for_answer().startswith(early[:20])
    expect(chat.facts.last).to_have_text("Stopped")


def test_the_keyboard_is_enough(chat: Chat, page: Page) -> None:
    """Everything can be done without a mouse, and Shift+Enter starts a new line."""
    keyboard = page.keyboard
    chat.message.focus()
    keyboard.type("Say")
    keyboard.press("Shift+Enter")
    keyboard.type("hello.")
    keyboard.press("Enter")
    chat.wait_for_answer()
    expect(chat.questions).to_have_text(["Say\nhello."])

    for _ in range(3):  # the paper clip, delete, again
        keyboard.press("Shift+Tab")
    expect(chat.again).to_be_focused()
    keyboard.press("Enter")
    chat.wait_for_answer()
    expect(chat.branches).to_have_text("2/2")

    keyboard.press("Control+,")
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
    keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()

    keyboard.press("Control+Shift+O")
    expect(chat.questions).to_have_count(0)
    expect(chat.message).to_be_focused()
    keyboard.press("Control+k")
    expect(chat.search).to_be_focused()
    keyboard.type("hello")
    keyboard.press("Tab")
    expect(chat.chats).to_be_focused()
    keyboard.press("Enter")
    expect(chat.questions).to_have_text(["Say\nhello."])

    keyboard.press("ArrowUp")
    expect(page.get_by_role("textbox", name="Edit the question")).to_be_focused()
    keyboard.press("Escape")
    keyboard.press("Control+/")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_enter_inside_an_input_method_does_not_send(chat: Chat) -> None:
    """Enter that only accepts a composed word leaves the message in the field."""
    chat.message.fill("こんにちは")
    chat.message.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(chat.message).to_have_value("こんにちは")
    expect(chat.questions).to_have_count(0)


def test_settings_are_sent_and_kept(chat: Chat, page: Page) -> None:
    """What is set goes with every request, also after a reload; what is empty does not."""
    chat.configure(system="Answer in French.", temperature="0.5", max_tokens="")
    page.reload()
    chat.wait_until_ready()
    with page.expect_request(is_completion) as asked:
        chat.start("Say hello.")
    body = body_of(asked.value)
    assert body["messages"][0] == {"role": "system", "content": "Answer in French."}
    assert body["temperature"] == 0.5
    assert "max_tokens" not in body


def test_reset_returns_to_the_defaults(chat: Chat, page: Page) -> None:
    """After a reset no option is sent at all."""
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_role("button", name="Done").click()
    with page.expect_request(is_completion) as asked:
        chat.start("Say hello.")
    assert set(body_of(asked.value)) == {"messages", "stream", "stream_options"}


def test_an_impossible_setting_is_refused(chat: Chat, page: Page) -> None:
    """A temperature that no server takes keeps the panel open."""
    chat.configure(temperature="7")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Temperature").fill("1")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_refused_question_says_why(chat: Chat, watch: Watch) -> None:
    """A question longer than the context gets the server's reason, and the chat goes on."""
    watch.expected.append("status of 4")
    chat.message.fill("word " * 60_000)
    chat.message.press("Enter")
    expect(chat.problem).to_be_visible(timeout=30_000)
    assert len(chat.problem.inner_text()) > 10
    assert chat.ask("Say hello.")


def test_only_the_finished_answer_is_announced(chat: Chat) -> None:
    """A screen reader hears the answer once, when it is whole."""
    chat.start_story()
    expect(chat.announcer).to_be_empty()
    chat.stop.click()
    answer = chat.wait_for_answer()
    expect(chat.announcer).to_contain_text(answer.split()[0])
    expect(chat.announcer).to_contain_text("Stopped")


def test_copy_gives_the_answer(open_chat: OpenChat) -> None:
    """Copy puts the answer into the clipboard and says so."""
    chat = open_chat(permissions=["clipboard-read", "clipboard-write"])
    chat.configure(max_tokens="16")
    answer = chat.ask("Say hello.")
    copy = chat.page.get_by_role("button", name="Copy", exact=True).last
    copy.click()
    expect(chat.page.get_by_role("button", name="Copied")).to_be_visible()
    copied = chat.page.evaluate("() => navigator.clipboard.readText()")
    assert copied.split()[:2] == answer.split()[:2]


def test_the_view_follows_until_the_reader_scrolls_up(open_chat: OpenChat) -> None:
    """New words stay in view, but never pull back a reader who scrolled up."""
    chat = open_chat(viewport={"width": 400, "height": 420})
    page = chat.page
    chat.start_story()
    page.wait_for_function("() => document.scrollingElement.scrollTop > 150", timeout=60_000)
    page.mouse.move(200, 150)
    page.mouse.wheel(0, -120)
    page.wait_for_timeout(300)
    place = place_of_view(page)
    length = len(chat.answers.last.inner_text())
    page.wait_for_function(IS_LONGER, arg=length, timeout=20_000)
    assert place_of_view(page) == place
    page.get_by_role("button", name="Go to the end").click()
    page.wait_for_function("(place) => document.scrollingElement.scrollTop > place", arg=place)
