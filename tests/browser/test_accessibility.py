"""What axe-core finds on the page in its main states: nothing serious."""

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answers import answer_with
from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = {"serious", "critical"}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
}
ANSWER = """\
### Title

| a | b |
|---|---|
| 1 | [link](https://example.com) |

> quote with $x_1$

```python
def f(): return "text"  # comment
```
"""


def findings(page: Page) -> list[str]:
    """Return what axe-core finds, with the places."""
    page.evaluate(AXE)
    report: Any = page.evaluate("() => axe.run({ resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {', '.join(str(node['target']) for node in one['nodes'])}"
        for one in report["violations"]
        if one["impact"] in SERIOUS
    ]


@pytest.fixture(params=LOOKS)
def chat(open_chat: OpenChat, request: pytest.FixtureRequest) -> Chat:
    """The page in light, in dark, and on a phone."""
    chat = open_chat(**LOOKS[request.param])
    facts = {"predicted_n": 9, "predicted_per_second": 3.5}
    answer_with(chat.page, ANSWER, reasoning="Hm.", timings=facts, usage={"total_tokens": 7900})
    return chat


def test_nothing_serious_is_found(chat: Chat) -> None:
    """Empty, in a chat with all kinds of text, in the list, in menus and in dialogs."""
    page = chat.page
    assert findings(page) == []
    chat.ask("Show me all.")
    page.get_by_text("Thinking").click()
    chat.again.click()
    chat.wait_for_answer()
    assert findings(page) == []
    page.keyboard.press("Control+,")
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
    page.get_by_text("More sampling settings").click()
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+/")
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(chat.search).to_be_focused()
    page.get_by_role("button", name="More").click()
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.locator(".entry").hover()
    page.locator(".entry button").click()
    page.locator("#chat-menu").get_by_role("button", name="Delete").click()
    expect(chat.toast).to_be_visible()
    assert findings(page) == []


@pytest.mark.parametrize("path", ["docs", "page/code", "page/about"])
def test_nor_on_the_other_pages(chat: Chat, path: str) -> None:
    """The documents beside the chat are sound, too."""
    chat.page.goto(chat.url + path)
    assert findings(chat.page) == []
