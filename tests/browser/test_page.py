"""The chat page around the conversation: loading, policy, looks and accessibility."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat, Watch

PHONE = {"width": 320, "height": 640}
LONG_WORD = "Donaudampfschifffahrtsgesellschaft" * 12


def color_of(page: Page, selector: str, name: str) -> str:
    """Return one computed colour."""
    script = "(element, name) => getComputedStyle(element).getPropertyValue(name)"
    return str(page.locator(selector).evaluate(script, name))


def luminance(color: str) -> float:
    """Return the relative luminance of an opaque `rgb()` colour (WCAG 2.2)."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", color)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    dark, light = sorted([luminance(first), luminance(second)])
    return (light + 0.05) / (dark + 0.05)


def nameless_controls(page: Page) -> list[str]:
    """Return the visible controls that a screen reader could not name."""
    roles = "button|textbox|spinbutton|link|checkbox|combobox|dialog|group"
    return re.findall(rf'- (?:{roles})\b(?! "|: \w).*', page.locator("body").aria_snapshot())


def test_the_page_names_the_model(page: Page) -> None:
    """The tab and the heading carry the model's name, the footer the version."""
    name = page.title()
    assert name
    assert "{" not in name
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    footer = page.locator("footer")
    expect(footer).to_contain_text("runs on this computer; nothing leaves it")
    expect(footer).to_contain_text(re.compile(r"solofile \d+\.\d+"))


def test_the_page_leads_to_the_api(page: Page) -> None:
    """The menu's link opens the document of the API, which shows the fields of a route."""
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="More").click()
        page.get_by_role("link", name="API").click()
    document = opened.value
    expect(document.get_by_role("heading", level=2).first).to_have_text("OpenAI")
    document.get_by_text("/v1/chat/completions", exact=True).last.click()
    expect(document.get_by_text("max_completion_tokens").first).to_be_visible()


def test_everything_comes_from_the_solofile(chat: Chat, watch: Watch) -> None:
    """Styles, scripts, pictures and answers are asked for, all at one address."""
    chat.ask("Say hello.")
    paths = {url.removeprefix(watch.origin) for url in watch.requests}
    wanted = {"", "page/app.css", "page/app.js", "page/icon", "health", "v1/chat/completions"}
    assert wanted <= paths


def test_the_policy_refuses_inline_scripts(page: Page, watch: Watch) -> None:
    """The browser enforces the content security policy, and these tests notice a violation."""
    watch.expected.append("Content Security Policy")
    with page.expect_console_message():
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.harmed = true";
                document.body.append(script);
            }"""
        )
    assert page.evaluate("() => window.harmed") is None


def test_loading_is_shown_until_the_model_is_ready(open_chat: OpenChat, watch: Watch) -> None:
    """While `/health` answers 503 the page says that it loads, and takes the draft already."""

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"error": {"message": "Loading model"}})

    def prepare(context: BrowserContext) -> None:
        context.route("**/health", refuse)

    watch.expected.append("503")
    chat = open_chat(is_ready=False, prepare=prepare)
    expect(chat.status).to_have_text("Loading the model")
    chat.message.fill("Hello")
    expect(chat.send).to_be_disabled()
    chat.page.context.unroute("**/health")
    chat.wait_until_ready()
    expect(chat.status).to_be_empty()
    expect(chat.send).to_be_enabled()
    expect(chat.message).to_be_focused()


def test_a_server_that_went_away_is_found_again(chat: Chat, page: Page, watch: Watch) -> None:
    """The page says that the solofile is gone, and goes on by itself when it is back."""
    watch.expected.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    chat.message.fill("Say hello.")
    chat.message.press("Enter")
    expect(chat.problem).to_contain_text("connection was lost")
    expect(chat.status).to_contain_text("does not answer")
    page.context.set_offline(False)
    chat.wait_until_ready()
    chat.again.click()
    assert chat.wait_for_answer()
    expect(chat.problem).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_schemes(open_chat: OpenChat, scheme: str) -> None:
    """All kinds of text keep a contrast of 4.5 in light and in dark."""
    chat = open_chat(color_scheme=scheme)
    chat.configure(max_tokens="16")
    chat.ask("Say hello.")
    ground = color_of(chat.page, "body", "background-color")
    assert (luminance(ground) > 0.5) == (scheme == "light")
    for selector in ("h1", ".text", ".facts", "footer", "#new"):
        assert contrast(color_of(chat.page, selector, "color"), ground) >= 4.5, selector
    bubble = color_of(chat.page, ".question", "background-color")
    assert contrast(color_of(chat.page, ".question", "color"), bubble) >= 4.5


def test_a_narrow_screen_never_scrolls_sideways(open_chat: OpenChat) -> None:
    """Even a word without end stays inside a phone's screen, and every button is on it."""
    chat = open_chat(viewport=PHONE, has_touch=True, is_mobile=True)
    chat.configure(max_tokens="16")
    chat.ask(LONG_WORD)
    width = chat.page.evaluate("() => document.documentElement.scrollWidth")
    assert width == PHONE["width"]
    for button in chat.page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]


def test_motion_stops_where_it_is_not_wanted(open_chat: OpenChat) -> None:
    """With reduced motion nothing on the page is animated."""
    script = (
        """() => getComputedStyle(document.querySelector("#status"), "::before").animationName"""
    )
    moving = open_chat(reduced_motion="no-preference")
    assert moving.page.evaluate(script) == "breathe"
    still = open_chat(reduced_motion="reduce")
    assert still.page.evaluate(script) == "none"


def test_forced_colors_keep_the_edges_of_questions(open_chat: OpenChat) -> None:
    """Where the system picks the colours, a border shows what a tint showed before."""
    chat = open_chat(forced_colors="active")
    chat.configure(max_tokens="8")
    chat.ask("Say hello.")
    border = color_of(chat.page, ".question", "border-top-color")
    assert border != color_of(chat.page, "body", "background-color")
    assert color_of(chat.page, ".question", "border-top-width") == "1px"


def test_every_control_has_a_name(chat: Chat, page: Page) -> None:
    """A screen reader can name every control: in a chat and in the settings."""
    assert nameless_controls(page) == []
    chat.start("Say hello.")
    assert nameless_controls(page) == []
    chat.wait_for_answer()
    assert nameless_controls(page) == []
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
    assert nameless_controls(page) == []


def test_the_document_states_its_language(page: Page) -> None:
    """The page is marked as English, and messages find their own direction."""
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_role("textbox", name="Message")).to_have_attribute("dir", "auto")
