"""Other versions of questions and answers, going on, and taking away."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.answers import answer_with
from tests.browser.chat import COMPLETIONS, Chat, without_end
from tests.browser.conftest import OpenChat


@pytest.fixture
def chat(open_chat: OpenChat) -> Chat:
    """A chat of two questions with answers of four tokens: none ends by itself before."""
    chat = open_chat(viewport={"width": 1000, "height": 720})
    chat.page.route(COMPLETIONS, without_end)
    chat.configure(max_tokens="4")
    chat.ask("Name a colour.")
    chat.ask("Name a fish.")
    return chat


def is_completion(request: Request) -> bool:
    """Tell whether a request asks the model for something."""
    return request.url.endswith("/v1/chat/completions")


def asked(page: Page, action: Any) -> Any:
    """Do something that asks the model, and return the request's body."""
    with page.expect_request(is_completion) as caught:
        action()
    return json.loads(caught.value.post_data or "")


def edit(chat: Chat, place: int, text: str) -> None:
    """Edit a question and send it."""
    question = chat.page.locator(".mine").nth(place)
    question.hover()
    question.get_by_role("button", name="Edit", exact=True).click()
    field = chat.page.get_by_role("textbox", name="Edit the question")
    field.fill(text)
    field.press("Enter")


def test_an_edited_question_is_a_branch(chat: Chat, page: Page) -> None:
    """The edited question gets its own answer, and the switch leads back to all that was."""
    whole = [chat.answers.nth(place).inner_text() for place in range(2)]
    body = asked(page, lambda: edit(chat, 0, "Name a tree."))
    assert body["messages"] == [{"role": "user", "content": "Name a tree."}]
    chat.wait_for_answer()
    expect(chat.questions).to_have_text(["Name a tree."])
    expect(chat.branches).to_have_text("2/2")
    page.get_by_role("button", name="Earlier version").click()
    expect(chat.questions).to_have_text(["Name a colour.", "Name a fish."])
    expect(chat.answers).to_have_text(whole)
    page.reload()
    expect(chat.questions).to_have_text(["Name a colour.", "Name a fish."])
    page.get_by_role("button", name="Later version").click()
    expect(chat.questions).to_have_text(["Name a tree."])


def test_an_edit_can_be_left(chat: Chat, page: Page) -> None:
    """Escape and Cancel leave the question as it was, and so does sending it unchanged."""
    edit(chat, 1, "Name a fish.")
    expect(chat.branches).to_have_count(0)
    chat.message.focus()
    page.keyboard.press("ArrowUp")
    field = page.get_by_role("textbox", name="Edit the question")
    field.fill("Something else")
    page.get_by_role("button", name="Cancel").click()
    expect(field).to_have_count(0)
    expect(chat.questions).to_have_text(["Name a colour.", "Name a fish."])


def test_trying_again_keeps_the_first_answer(chat: Chat, page: Page) -> None:
    """Another answer stands beside the first, wherever it is asked for."""
    first = chat.answers.first.inner_text()
    chat.page.locator(".turn").nth(1).hover()
    body = asked(page, chat.again.first.click)
    assert body["messages"] == [{"role": "user", "content": "Name a colour."}]
    chat.wait_for_answer()
    expect(chat.answers).to_have_count(1)
    expect(chat.branches).to_have_text("2/2")
    page.get_by_role("button", name="Earlier version").click()
    expect(chat.questions).to_have_text(["Name a colour.", "Name a fish."])
    expect(chat.answers.first).to_have_text(first)


def test_a_cut_answer_goes_on(chat: Chat, page: Page) -> None:
    """Continue sends the answer so far, and what comes is added to it."""
    before = chat.answers.last.inner_text()
    expect(chat.facts.last).to_contain_text("Reached the longest answer allowed")
    body = asked(page, chat.go_on.click)
    assert body["messages"][-1]["role"] == "assistant"
    assert body["messages"][-1]["content"].strip() == before
    assert body["continue_final_message"] is True
    assert body["add_generation_prompt"] is False
    after = chat.wait_for_answer()
    assert after.startswith(before)
    assert len(after) > len(before)
    expect(chat.branches).to_have_count(0)


def test_only_what_was_cut_can_go_on(chat: Chat) -> None:
    """An answer that ended by itself offers no Continue."""
    answer_with(chat.page, "Hello.")
    chat.ask("Say only the word hello.")
    expect(chat.facts.last).not_to_contain_text("longest")
    expect(chat.go_on).to_have_count(0)


def test_a_deleted_message_takes_what_follows_along(chat: Chat, page: Page) -> None:
    """Deleting a question takes its answers away; Undo brings them back, a reload does not."""
    question = page.locator(".mine").nth(1)
    question.hover()
    question.get_by_role("button", name="Delete").click()
    expect(chat.questions).to_have_text(["Name a colour."])
    chat.toast.get_by_role("button", name="Undo").click()
    expect(chat.questions).to_have_text(["Name a colour.", "Name a fish."])
    expect(chat.answers).to_have_count(2)
    page.locator(".turn").nth(3).get_by_role("button", name="Delete").click()
    expect(chat.answers).to_have_count(1)
    page.reload()
    expect(chat.questions).to_have_text(["Name a colour.", "Name a fish."])
    expect(chat.answers).to_have_count(1)


def test_a_deleted_version_shows_its_neighbour(chat: Chat, page: Page) -> None:
    """Of two answers the other one stays, and the switch is gone."""
    first = chat.answers.last.inner_text()
    chat.again.last.click()
    chat.wait_for_answer()
    page.locator(".turn").last.get_by_role("button", name="Delete").click()
    expect(chat.branches).to_have_count(0)
    expect(chat.answers.last).to_have_text(first)
