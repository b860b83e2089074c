"""The pages beside the chat: how to use the server from code, and what is inside."""

import subprocess
import sys
from pathlib import Path

import playwright
import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat

NODE = Path(playwright.__file__).parent / "driver" / "node"


@pytest.fixture
def samples(chat: Chat, page: Page) -> Page:
    """The page with the samples of code, opened from the menu."""
    page.get_by_role("button", name="More").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Use from code").click()
    return opened.value


def sample(page: Page, heading: str) -> str:
    """Return the code under a heading."""
    title = page.get_by_role("heading", name=heading)
    return title.locator("xpath=following-sibling::*[1]").locator("code").inner_text()


def run(*command: str) -> str:
    """Run a command and return what it prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.parametrize("heading", ["Python", "Ollama"])
def test_python_samples_work(samples: Page, heading: str) -> None:
    """What one copies runs as it stands, and prints the model's answer."""
    assert run(sys.executable, "-c", sample(samples, heading)).strip()


def test_the_curl_sample_works(samples: Page) -> None:
    """The shell takes the command as it stands."""
    assert '"content"' in run("sh", "-c", sample(samples, "curl"))


def test_the_javascript_sample_works(samples: Page) -> None:
    """Node runs it as a module."""
    assert run(str(NODE), "--input-type=module", "-e", sample(samples, "JavaScript")).strip()


def test_samples_name_this_server(samples: Page, chat: Chat) -> None:
    """The address and the model's name are those of this very server, and can be copied."""
    text = sample(samples, "LangChain")
    assert f'base_url="{chat.url}v1"' in text
    assert 'model="SmolLM2-135M-Instruct"' in text
    expect(samples.get_by_role("button", name="Copy code")).to_have_count(5)


def test_about_tells_what_is_inside(chat: Chat, page: Page) -> None:
    """The manifest's facts, digests and the texts of licences are there."""
    page.get_by_role("button", name="More").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="About").click()
    about = opened.value
    expect(about.get_by_role("heading", level=1)).to_have_text("SmolLM2-135M-Instruct")
    expect(about.get_by_text("134,515,008")).to_be_visible()
    digest = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    expect(about.get_by_role("cell", name=digest)).to_be_visible()
    about.locator("summary").first.click()
    expect(about.locator("details pre").first).to_be_visible()
