"""The chat page as a user sees it: what can be pressed, typed and read."""

import json

from playwright.sync_api import Page, Route, expect

ANSWER_TIMEOUT_MS = 60_000
LOADING_TIMEOUT_MS = 120_000
COMPLETIONS = "**/v1/chat/completions"
STORY = "Write a very long story about a lighthouse keeper, with many chapters."
TWO_FRAMES = """() => new Promise((resolve) =>
    requestAnimationFrame(() => requestAnimationFrame(resolve)))"""


class Chat:
    """Drives one tab with the chat page."""

    def __init__(self, page: Page, url: str) -> None:
        """Take an empty tab and the address to open in it."""
        self.page = page
        self.url = url
        self.message = page.get_by_role("textbox", name="Message")
        self.send = page.get_by_role("button", name="Send")
        self.quit = page.get_by_role("button", name="Quit")
        self.stop = page.get_by_role("button", name="Stop")
        self.new_chat = page.get_by_role("button", name="New chat")
        self.search = page.get_by_role("searchbox", name="Search chats")
        self.chats = page.get_by_role("navigation", name="Chats").get_by_role("link")
        self.again = page.get_by_role("button", name="Try again")
        self.go_on = page.get_by_role("button", name="Continue", exact=True)
        self.questions = page.locator(".question")
        self.answers = page.locator(".text")
        self.branches = page.locator(".branches:visible > span")
        self.problem = page.locator(".problem")
        self.facts = page.locator(".facts")
        self.status = page.locator("#status")
        self.toast = page.locator("#toast")
        self.announcer = page.locator("#announcer")

    def open(self) -> None:
        """Load the page."""
        self.page.goto(self.url)

    def wait_until_ready(self) -> None:
        """Wait until the model is loaded."""
        expect(self.status).to_have_attribute("data-state", "ready", timeout=LOADING_TIMEOUT_MS)

    def configure(self, **values: str) -> None:
        """Fill the settings panel's fields, given by their request names."""
        labels = {
            "system": "System prompt",
            "temperature": "Temperature",
            "max_tokens": "Longest answer",
        }
        self.page.get_by_role("button", name="Settings").click()
        for name, value in values.items():
            self.page.get_by_label(labels[name]).fill(value)
        self.page.get_by_role("button", name="Done").click()

    def start(self, question: str) -> None:
        """Send a question and wait for the first words of its answer."""
        self.message.fill(question)
        self.message.press("Enter")
        expect(self.answers.last).not_to_be_empty(timeout=ANSWER_TIMEOUT_MS)

    def start_story(self, num_tokens: int = 2000) -> None:
        """Start an answer that goes on for so long, wherever the model would end it."""
        self.configure(max_tokens=str(num_tokens))
        self.page.route(COMPLETIONS, without_end)
        self.start(STORY)
        self.page.unroute(COMPLETIONS, without_end)

    def ask(self, question: str) -> str:
        """Send a question and return the whole answer."""
        self.message.fill(question)
        self.message.press("Enter")
        return self.wait_for_answer()

    def wait_for_answer(self) -> str:
        """Wait until the last answer is finished and return its text."""
        after = self.page.locator(".turn:last-child .after")
        expect(after).to_be_visible(timeout=ANSWER_TIMEOUT_MS)
        # What was just put on the page has no inner text before it was in a frame.
        self.page.evaluate(TWO_FRAMES)
        return self.answers.last.inner_text()

    def choose(self, action: str, title: str) -> None:
        """Choose something from the menu of the chat with this title."""
        entry = self.page.locator(".entry", has_text=title)
        entry.hover()
        entry.get_by_role("button").click()
        self.page.locator("#chat-menu").get_by_role("button", name=action, exact=True).click()


def without_end(route: Route) -> None:
    """Let an answer go on until it is cut."""
    body = json.loads(route.request.post_data or "")
    route.continue_(post_data=body | {"ignore_eos": True})
