"""Texts that want to be run: wherever they stand on the page, they stay texts."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answers import end, send_chunks
from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat

HARM = "window.harmed=true"
# After OWASP's and PortSwigger's lists of what ran somewhere once.
CORPUS = [
    f"<script>{HARM}</script>",
    f"<SCRIPT SRC=data:text/javascript,{HARM}></SCRIPT>",
    f"<scr<script>ipt>{HARM}</scr</script>ipt>",
    f'"><script>{HARM}</script>',
    f"</title><script>{HARM}</script>",
    f"</textarea><script>{HARM}</script>",
    f"<!--<img src='--><img src=x onerror={HARM}//'>",
    f"<img src=x onerror={HARM}>",
    f"<img/src=`x`onerror={HARM}>",
    f"<svg/onload={HARM}>",
    f"<svg><animate onbegin={HARM} attributeName=x dur=1s>",
    f"<svg><a xlink:href='javascript:{HARM}'><text>x</text></a></svg>",
    f"<math><mi xlink:href='javascript:{HARM}'>x</mi></math>",
    f"<details open ontoggle={HARM}>",
    f"<input autofocus onfocus={HARM}>",
    f"<video><source onerror={HARM}></video>",
    f"<iframe srcdoc='<script>parent.{HARM}</script>'></iframe>",
    f"<iframe src='javascript:{HARM}'></iframe>",
    f"<object data='javascript:{HARM}'></object>",
    f"<embed src='javascript:{HARM}'>",
    f"<form action='javascript:{HARM}'><button>x</button></form>",
    f"<meta http-equiv=refresh content='0;url=javascript:{HARM}'>",
    "<base href='https://example.com/'>",
    "<link rel=stylesheet href='https://example.com/x.css'>",
    "<style>@import 'https://example.com/x.css';</style>",
    f"<template><script>{HARM}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={HARM}>'></noscript>",
    f"[x](javascript:{HARM})",
    f"[x](JaVaScRiPt:{HARM})",
    f"[x]( javascript:{HARM})",
    f"[x](java\tscript:{HARM})",
    f"[x](&#106;avascript:{HARM})",
    f"[x](data:text/html,<script>{HARM}</script>)",
    f"[x](vbscript:{HARM})",
    f'[x](https://example.com/"onmouseover="{HARM})',
    f"[x](https://example.com/ 'onmouseover={HARM}')",
    f"[![x](javascript:{HARM})](javascript:{HARM})",
    f"![x](x'onerror='{HARM})",
    f"<javascript:{HARM}>",
    f"https://example.com/<img src=x onerror={HARM}>",
    f"$<img src=x onerror={HARM}>$ \\(<img src=x onerror={HARM}>\\)",
    f"\\(\\text{{<img src=x onerror={HARM}>}}\\)",
    f"| <img src=x onerror={HARM}> | b |\n|---|---|\n| [x](javascript:{HARM}) | <svg/onload=x> |",
    f"> <img src=x onerror={HARM}>",
    f'```"><img src=x onerror={HARM}>\n<img src=x onerror={HARM}>\n```',
    f"```html\n<img src=x onerror={HARM}>\n<!-- <script>{HARM}</script>\n```",
    f"`<img src=x onerror={HARM}>`",
    f"**<b onclick={HARM}>x</b>**",
    "{{constructor.constructor('" + HARM + "')()}} ${" + HARM + "} <%= " + HARM + " %>",
    "\u202e<img src=x onerror=" + HARM + ">\u0000\ufffe",
]
ALL = "\n\n".join(CORPUS)
# What the page itself makes of Markdown, and nothing else.
KNOWN = (
    "article h2 h3 h4 h5 h6 div p span ul ol li a code pre table thead tbody tr th td blockquote "
    "strong em del hr details summary button svg use"
)
FOREIGN = """(known) => {
    const isForeign = ({ name, value }) =>
        name.startsWith("on") || name === "style" || name === "src"
        || (name === "href" && !/^(https?:|#)/.test(value));
    return [...document.querySelectorAll("#thread *, #chats *")]
        .filter((node) => !known.includes(node.localName) || [...node.attributes].some(isForeign))
        .map((node) => node.outerHTML);
}"""


def foreign_nodes(page: Page) -> list[str]:
    """Return the elements that no part of the page makes, or that carry a script or an address."""
    found: list[str] = page.evaluate(FOREIGN, KNOWN.split())
    return found


@pytest.fixture
def chat(open_chat: OpenChat) -> Iterator[Chat]:
    """The page, which must not have been harmed when the test ends."""
    chat = open_chat()
    yield chat
    chat.page.wait_for_timeout(100)
    assert chat.page.evaluate("() => window.harmed") is None
    assert foreign_nodes(chat.page) == []


def test_answers_run_nothing(chat: Chat, page: Page) -> None:
    """Whole or in pieces, as content, as reasoning and as a tool's name and arguments."""
    call = {"index": 0, "function": {"name": CORPUS[7], "arguments": json.dumps({"a": ALL})}}
    deltas = [
        {"reasoning_content": ALL},
        *({"content": ALL[place : place + 7]} for place in range(0, len(ALL), 7)),
        {"tool_calls": [call]},
    ]
    send_chunks(page, *({"choices": [{"index": 0, "delta": delta}]} for delta in deltas), end())
    chat.ask("Do your worst.")
    page.get_by_text("Thinking").click()
    page.locator(".calls summary").click()
    for link in page.locator("#thread .text a").all():
        assert str(link.get_attribute("href")).startswith("https://example.com/")
        link.hover()
    page.reload()
    chat.wait_for_answer()


@pytest.mark.parametrize("text", CORPUS[:12])
def test_questions_names_and_files_run_nothing(chat: Chat, page: Page, text: str) -> None:
    """What a user pastes, as a question, as a chat's name and as a file's, is text, too."""
    send_chunks(page, end())
    chat.ask(text)
    expect(chat.questions).to_have_text(text)
    expect(chat.chats.first).to_contain_text(text[:20])
    page.locator(".entry").hover()
    page.locator(".entry button").click()
    page.locator("#chat-menu").get_by_role("button", name="Delete").click()
    expect(chat.toast).to_contain_text(text[:20])


def test_an_error_of_the_server_runs_nothing(chat: Chat, page: Page) -> None:
    """Nor does what an error says."""
    send_chunks(page, {"error": {"message": ALL, "code": 500}})
    chat.ask("Fail.")
    expect(chat.problem).to_contain_text(CORPUS[0])
