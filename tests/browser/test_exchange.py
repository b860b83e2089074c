"""Chats as files: out of the page and into it again."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answers import answer_with
from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat

ANSWER = "# Not a title\n\n<!-- solofile: user -->\n\n**bold** and `code`"


@pytest.fixture
def chat(open_chat: OpenChat) -> Chat:
    """The page with one chat, whose answer looks like a part of an exported file."""
    chat = open_chat(viewport={"width": 1000, "height": 720})
    answer_with(chat.page, ANSWER, timings={"predicted_n": 7, "predicted_per_second": 5.5})
    chat.ask("What is this?\nTell me.")
    return chat


def exported(chat: Chat, action: str, folder: Path) -> Path:
    """Export the chat and return the file."""
    with chat.page.expect_download() as download:
        chat.choose(action, "What is this?")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def take_in(chat: Chat, *files: Path | dict[str, Any]) -> None:
    """Import files."""
    chat.page.get_by_role("button", name="More").click()
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Import chats").click()
    chooser.value.set_files(files)  # type: ignore[arg-type]  # a list of either is taken


def text_file(text: str) -> Any:
    """Return a file as playwright gives it to a page."""
    return {"name": "chats.json", "mimeType": "application/json", "buffer": text.encode()}


@pytest.mark.parametrize("action", ["Export as JSON", "Export as Markdown"])
def test_what_goes_out_comes_back(
    chat: Chat, page: Page, open_chat: OpenChat, tmp_path: Path, action: str
) -> None:
    """Another browser reads either file, with texts that look like the format's own marks."""
    path = exported(chat, action, tmp_path)
    assert path.stem == "What is this"
    other = open_chat()
    take_in(other, path)
    expect(other.toast).to_contain_text("1 imported")
    other.chats.get_by_text("What is this?").click()
    expect(other.questions).to_have_text(["What is this?\nTell me."])
    expect(other.answers.get_by_role("heading")).to_have_text("Not a title")
    expect(other.answers).to_contain_text("<!-- solofile: user -->")
    expect(other.answers.locator("strong")).to_have_text("bold")


def test_branches_and_facts_survive_json(chat: Chat, open_chat: OpenChat, tmp_path: Path) -> None:
    """JSON holds all versions, settings and speeds."""
    chat.configure(temperature="0.25")
    chat.again.click()
    chat.wait_for_answer()
    path = exported(chat, "Export as JSON", tmp_path)
    other = open_chat()
    take_in(other, path)
    other.chats.first.click()
    expect(other.branches).to_have_text("2/2")
    expect(other.facts).to_have_text("7 tokens · 5.5 tokens/s")
    other.page.get_by_role("button", name="Settings").click()
    expect(other.page.get_by_label("Temperature")).to_have_value("0.25")


def test_all_chats_are_exported_at_once(chat: Chat, page: Page, tmp_path: Path) -> None:
    """One file holds all chats; importing it again adds nothing."""
    chat.new_chat.click()
    chat.ask("Another one")
    page.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export all chats").click()
    path = tmp_path / "all.json"
    download.value.save_as(path)
    titles = [one["title"] for one in json.loads(path.read_text(encoding="utf-8"))["chats"]]
    assert titles == ["Another one", "What is this?"]
    take_in(chat, path)
    expect(chat.toast).to_contain_text("2 imported")
    expect(chat.chats).to_have_count(2)
    expect(chat.questions).to_have_text(["Another one"])


def chat_with(changes: dict[str, Any]) -> str:
    """Return a file with one chat of one message, which is sound but for these changes."""
    message = {"id": "m", "parent": None, "role": "user", "text": "Hello", "at": 1} | changes
    facts = {"id": "c", "title": "t", "created": 1, "updated": 1, "leaf": None}
    return json.dumps({"format": "solofile-chats", "chats": [facts | {"messages": [message]}]})


def test_a_chat_made_elsewhere_is_taken(chat: Chat) -> None:
    """A message whose parent is missing stands at the beginning."""
    take_in(chat, text_file(chat_with({"parent": "a message that is not there"})))
    chat.chats.get_by_text("t", exact=True).click()
    expect(chat.questions).to_have_text(["Hello"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "# A title and nothing else",
        '{"format": "solofile-chats", "chats": [{"id": 1}]}',
        chat_with({"role": "system"}),
        chat_with(
            {"attachments": [{"name": "n", "kind": "image", "data": "https://example.com/"}]}
        ),
    ],
)
def test_what_is_no_export_is_refused(chat: Chat, text: str) -> None:
    """Anything else is told and changes nothing."""
    take_in(chat, text_file(text))
    expect(chat.toast).to_contain_text("chats.json holds no chats that a solofile exported.")
    expect(chat.chats).to_have_count(1)
