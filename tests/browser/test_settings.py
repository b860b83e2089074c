"""Settings of a chat, presets, and what the page tells of the context."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answers import answer_with
from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat


@pytest.fixture
def chat(open_chat: OpenChat) -> Chat:
    """The page without any chat; answers are made up."""
    chat = open_chat(viewport={"width": 1000, "height": 720})
    answer_with(chat.page, "Yes.", usage={"total_tokens": 6000})
    return chat


def asked(chat: Chat, question: str) -> Any:
    """Ask, and return the request's body."""
    with chat.page.expect_request("**/v1/chat/completions") as caught:
        chat.ask(question)
    return json.loads(caught.value.post_data or "")


def test_each_chat_has_its_own_settings(chat: Chat, page: Page) -> None:
    """Those of new chats are taken over once; a chat's own change that chat alone."""
    chat.configure(temperature="0.5", system="Be brief.")
    first = asked(chat, "First")
    assert (first["temperature"], first["messages"][0]["content"]) == (0.5, "Be brief.")
    chat.configure(temperature="1.5", system="")
    again = asked(chat, "Again")
    assert again["temperature"] == 1.5
    assert again["messages"][0]["role"] == "user"
    chat.new_chat.click()
    assert asked(chat, "Second")["temperature"] == 0.5
    chat.chats.get_by_text("First").click()
    page.reload()
    chat.wait_until_ready()
    answer_with(page, "Yes.")
    assert asked(chat, "Once more")["temperature"] == 1.5


def test_all_sampling_fields_are_sent(chat: Chat, page: Page) -> None:
    """What is filled in goes along as numbers, under llama.cpp's names."""
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("More sampling settings").click()
    values = {"Top P": "0.9", "Top K": "20", "Min P": "0.1", "Repeat penalty": "1.1", "Seed": "7"}
    for label, value in values.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Done").click()
    body = asked(chat, "Hello")
    names = ("top_p", "top_k", "min_p", "repeat_penalty", "seed")
    assert [body[name] for name in names] == [0.9, 20, 0.1, 1.1, 7]


def test_empty_fields_show_the_servers_defaults(chat: Chat, page: Page) -> None:
    """The panel tells what an empty field means."""
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_label("Temperature")).to_have_attribute("placeholder", "0.8")


def test_a_preset_is_kept_taken_and_deleted(chat: Chat, page: Page) -> None:
    """A named set of settings can be taken for any chat, after a reload, too."""
    chat.configure(system="Talk like a pirate.", temperature="1.2")
    settings = page.get_by_role("button", name="Settings")
    settings.click()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.get_by_label("Name").fill("Pirate")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.reload()
    answer_with(page, "Yes.")
    chat.wait_until_ready()
    assert "temperature" not in asked(chat, "Who are you?")
    settings.click()
    page.get_by_role("combobox", name="Preset").select_option("Pirate")
    page.get_by_role("button", name="Done").click()
    body = asked(chat, "And now?")
    assert (body["temperature"], body["messages"][0]["content"]) == (1.2, "Talk like a pirate.")
    settings.click()
    page.get_by_role("combobox", name="Preset").select_option("Pirate")
    page.get_by_role("button", name="Delete preset").click()
    expect(page.get_by_role("combobox", name="Preset").get_by_role("option")).to_have_text(["None"])


def test_the_meter_counts_a_long_message_before_it_is_sent(chat: Chat, page: Page) -> None:
    """The server counts what a pasted text would take; without it the meter is as before."""
    chat.ask("Hello")
    chat.message.fill("word " * 7400)
    expect(page.locator("#meter")).to_contain_text("nearly full")
    chat.message.fill("word")
    expect(page.locator("#meter")).to_have_text("6,000 of 8,192 tokens")


def test_the_meter_warns_before_the_context_is_full(chat: Chat, page: Page) -> None:
    """It shows how much a chat takes, and says so when little is left."""
    meter = page.locator("#meter")
    expect(meter).to_be_hidden()
    chat.ask("How full is it?")
    expect(meter).to_have_text("6,000 of 8,192 tokens")
    expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "73")
    answer_with(page, "Yes.", usage={"total_tokens": 7500})
    chat.ask("And now?")
    expect(meter).to_contain_text("nearly full")
    chat.new_chat.click()
    expect(meter).to_be_hidden()
