"""The page in other languages."""

import re

from playwright.sync_api import Page, expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat


def test_a_chinese_browser_gets_chinese(open_chat: OpenChat) -> None:
    """Texts, the document's language and numbers are those that the browser prefers."""
    chat = open_chat(locale="zh-CN")
    page = chat.page
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_text("想聊点什么")).to_be_visible()
    page.get_by_role("button", name="设置").click()
    page.get_by_label("最长回答").fill("4")
    page.get_by_role("button", name="完成").click()
    page.get_by_role("textbox", name="消息").fill("你好")
    page.get_by_role("button", name="发送").click()
    expect(chat.facts).to_have_text(re.compile(r"已达到回答长度上限 · 4 个词元 · [\d.]+ 词元/秒"))
    assert re.findall("[A-Za-z]{4,}", page.locator("#side").inner_text()) == [
        *re.findall("[A-Za-z]{4,}", page.locator(".brand").inner_text())
    ]


def test_the_language_can_be_switched(chat: Chat, page: Page) -> None:
    """The menu's switch counts more than the browser, and stays."""
    page.get_by_role("button", name="More").click()
    page.get_by_label("Language").select_option("简体中文")
    expect(page.get_by_role("button", name="新对话")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="新对话")).to_be_visible()


def test_right_to_left_turns_the_page_around(chat: Chat, page: Page) -> None:
    """In such a language the chats stand at the right, and code stays left to right."""
    chat.ask("Say hello.")
    page.evaluate("() => (document.documentElement.dir = 'rtl')")
    side, column = page.locator("#side").bounding_box(), page.locator("#column").bounding_box()
    assert side is not None
    assert column is not None
    assert side["x"] >= column["x"] + column["width"]
    question = page.locator(".question").bounding_box()
    assert question is not None
    assert question["x"] < column["x"] + column["width"] / 2
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
