"""The list of chats: kept, searched, renamed, deleted, and the same in all tabs."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat


@pytest.fixture
def chat(open_chat: OpenChat) -> Chat:
    """The page with two short chats, of which the second is read."""
    chat = open_chat(viewport={"width": 1000, "height": 720})
    chat.configure(temperature="0", max_tokens="4")
    chat.ask("Name a colour.")
    chat.new_chat.click()
    chat.ask("Name a fish.\nOne that swims in the sea.")
    return chat


def second_tab(chat: Chat) -> Chat:
    """Open the page once more in the same browser."""
    other = Chat(chat.page.context.new_page(), chat.url)
    other.open()
    other.wait_until_ready()
    return other


def test_chats_are_named_by_their_first_question(chat: Chat, page: Page) -> None:
    """The list shows the first lines, the newest first; tab and heading that of the one read."""
    expect(chat.chats).to_have_text(["Name a fish.", "Name a colour."])
    expect(page.get_by_role("heading", level=1)).to_have_text("Name a fish.")
    expect(page).to_have_title(re.compile("^Name a fish. · "))
    expect(page.locator("[aria-current=page]")).to_have_text("Name a fish.")


def test_a_long_question_makes_a_short_name(chat: Chat) -> None:
    """A name ends with a whole word."""
    chat.new_chat.click()
    chat.ask("word " * 30)
    expect(chat.chats.first).to_have_text("word " * 11 + "word…")


def test_a_chat_is_opened_by_its_link(chat: Chat, page: Page) -> None:
    """Links open chats, and the browser's own buttons go back and forth between them."""
    chat.chats.get_by_text("Name a colour.").click()
    expect(chat.questions).to_have_text(["Name a colour."])
    page.go_back()
    expect(chat.questions).to_have_text(["Name a fish.\nOne that swims in the sea."])
    page.goto(chat.url + "#nowhere")
    page.reload()
    expect(chat.questions).to_have_count(0)


def test_search_finds_names_and_messages(chat: Chat) -> None:
    """Search looks into all messages, and says when there is nothing."""
    chat.search.fill("SWIMS")
    expect(chat.chats).to_have_text(["Name a fish."])
    chat.search.fill("name a")
    expect(chat.chats).to_have_count(2)
    chat.search.fill("Xylophon")
    expect(chat.chats).to_have_count(0)
    expect(chat.page.get_by_text("Nothing found.")).to_be_visible()
    chat.search.fill("")
    expect(chat.chats).to_have_count(2)


def test_a_chat_is_renamed_in_place(chat: Chat, page: Page) -> None:
    """Enter takes the new name and Escape the old one; a reload keeps it."""
    chat.choose("Rename", "fish")
    page.keyboard.type("Of the sea")
    page.keyboard.press("Enter")
    expect(chat.chats).to_have_text(["Of the sea", "Name a colour."])
    expect(page.get_by_role("heading", level=1)).to_have_text("Of the sea")
    chat.choose("Rename", "colour")
    page.keyboard.type("No")
    page.keyboard.press("Escape")
    page.reload()
    expect(chat.chats).to_have_text(["Of the sea", "Name a colour."])


def test_a_deleted_chat_can_be_brought_back(chat: Chat, page: Page) -> None:
    """Deleting leaves the chat at once, and Undo brings it back whole."""
    chat.choose("Delete", "fish")
    expect(chat.chats).to_have_text(["Name a colour."])
    expect(chat.questions).to_have_count(0)
    expect(chat.toast).to_contain_text("“Name a fish.” is deleted.")
    chat.toast.get_by_role("button", name="Undo").click()
    chat.chats.first.click()
    expect(chat.questions).to_have_text(["Name a fish.\nOne that swims in the sea."])
    expect(chat.toast).to_be_hidden()
    chat.choose("Delete", "fish")
    expect(chat.toast).to_be_visible()
    page.reload()
    expect(chat.chats).to_have_text(["Name a colour."])


@pytest.mark.parametrize("is_here", [True, False])
def test_deleting_a_chat_stops_its_answer(chat: Chat, page: Page, is_here: bool) -> None:
    """What is being written is left, whether this tab or another one deletes the chat."""
    chat.start_story()
    deleting = chat if is_here else second_tab(chat)
    deleting.choose("Delete", "fish")
    expect(chat.questions).to_have_count(0)
    expect(chat.stop).to_be_hidden()
    page.reload()
    expect(chat.chats).to_have_text(["Name a colour."])


def test_another_tab_has_the_same_chats(chat: Chat) -> None:
    """A second tab starts empty, lists all chats, and hears of what the first one does."""
    other = second_tab(chat)
    expect(other.questions).to_have_count(0)
    expect(other.chats).to_have_text(["Name a fish.", "Name a colour."])
    chat.choose("Rename", "fish")
    chat.page.keyboard.type("Renamed")
    chat.page.keyboard.press("Enter")
    expect(other.chats).to_have_text(["Renamed", "Name a colour."])
    other.choose("Delete", "Renamed")
    expect(chat.questions).to_have_count(0)
    expect(chat.chats).to_have_text(["Name a colour."])


def test_two_tabs_lose_none_of_their_work(chat: Chat) -> None:
    """Both tabs may write into one chat at once; what both wrote is there afterwards."""
    other = second_tab(chat)
    other.chats.first.click()
    other.wait_for_answer()
    for tab, question in ((chat, "From the first."), (other, "From the second.")):
        tab.message.fill(question)
    for tab in (chat, other):
        tab.message.press("Enter")
    for tab in (chat, other):
        tab.wait_for_answer()
    third = second_tab(chat)
    third.chats.first.click()
    expect(third.branches).to_have_text("2/2")
    shown = third.questions.last.text_content()
    third.page.get_by_role("button", name="Earlier version").click()
    expect(third.branches).to_have_text("1/2")
    earlier = third.questions.last.text_content()
    assert {shown, earlier} == {"From the first.", "From the second."}


def test_a_browser_that_keeps_nothing_still_chats(open_chat: OpenChat) -> None:
    """Without IndexedDB the page says so, and works until it is left."""
    chat = open_chat(
        prepare=lambda context: context.add_init_script(
            "Object.defineProperty(window, 'indexedDB', { value: undefined })"
        )
    )
    expect(chat.toast).to_contain_text("keeps no more chats")
    chat.configure(max_tokens="4")
    chat.ask("Name a colour.")
    chat.new_chat.click()
    chat.chats.get_by_text("Name a colour.").click()
    expect(chat.questions).to_have_text(["Name a colour."])
