"""Pictures of the page's main states, for people to look at: `SOLOFILE_SCREENSHOTS` names a folder.

What can be told without looking is checked: that nothing is wider than the window.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser.answers import answer_with
from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1200, "height": 820}},
    "dark": {"viewport": {"width": 1200, "height": 820}, "color_scheme": "dark"},
    "wide": {"viewport": {"width": 1920, "height": 1000}},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
    "chinese": {"viewport": {"width": 1200, "height": 820}, "locale": "zh-CN"},
    "forced": {"viewport": {"width": 1200, "height": 820}, "forced_colors": "active"},
}
ANSWER = """\
A rainbow is **sunlight taken apart**. When light enters a raindrop it *bends*, reflects off
the back of the drop, and bends again on its way out, red at about `42°`.

1. Light slows down and bends; violet bends more than red.
2. Reflection inside the drop:
   - most light leaves through the back,
   - a little comes back towards you.

| colour | wavelength | angle |
|:-------|-----------:|:-----:|
| red    | 700 nm     | 42.4° |
| violet | 400 nm     | 40.7° |

> Snell's law says that $n_1 \\sin\\theta_1 = n_2 \\sin\\theta_2$.

See [Wikipedia](https://en.wikipedia.org/wiki/Rainbow), or compute the angle yourself:

```python
from math import asin, degrees, radians, sin


def deflection(incidence: float, index: float = 1.333) -> float:
    \"\"\"Return the angle between the sunlight and the light that reaches the eye.\"\"\"
    inside = degrees(asin(sin(radians(incidence)) / index))
    return 4 * inside - 2 * incidence  # two refractions, one reflection
```
"""


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> str:
    """The name of a way the page looks."""
    return str(request.param)


@pytest.fixture
def chat(open_chat: OpenChat, look: str) -> Chat:
    """The page, looking so; answers are made up."""
    chat = open_chat(**LOOKS[look])
    facts = {"predicted_n": 312, "predicted_per_second": 48.3}
    usage = {"total_tokens": 1512}
    answer_with(chat.page, ANSWER, reasoning="They ask why.", timings=facts, usage=usage)
    return chat


def test_the_main_states_fit_into_the_window(chat: Chat, look: str, tmp_path: Path) -> None:
    """Empty, in a chat, with the list, the settings, the keys, a menu, and the documents."""
    page = chat.page
    folder = Path(os.environ.get("SOLOFILE_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def take(state: str) -> None:
        page.wait_for_timeout(150)
        page.screenshot(path=folder / f"{look}-{state}.png")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), state

    def send(question: str) -> None:
        page.locator("#input").fill(question)
        page.locator("#send").click()
        chat.wait_for_answer()

    take("empty")
    for question in ("Write a haiku about the sea", "Why is there a rainbow after the rain?"):
        send(question)
        if question.startswith("Write"):
            page.keyboard.press("Control+Shift+O")
    take("answer")
    page.evaluate("() => window.scrollTo(0, 0)")
    take("question")
    page.keyboard.press("Control+,")
    take("settings")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+/")
    take("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    take("chats")
    page.locator("#more").click()
    take("menu")
    for path in ("page/code", "page/about", "docs"):
        page.goto(chat.url + path)
        take(path.removeprefix("page/"))
