"""The pages as the server makes them: the builder's branding, the facts inside, the headers."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from runtime.branding import Branding
from runtime.container import ContainerWriter
from runtime.engine.engine import Engine
from runtime.engine.weights import Weights
from runtime.errors import DamagedFileError
from runtime.manifest import EntryFacts, Manifest
from runtime.payload import Payload
from runtime.server.app import create_app
from runtime.server.pages import page_folder
from runtime.server.state import ServerState
from tests.runtime.test_manifest import MANIFEST

ICON = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
LICENCE = "Do as you like, <b>but</b> not this.\n"
BRANDING = Branding(
    title="Ask <Ada>",
    greeting="Hello & welcome",
    disclaimer='It may be "wrong".',
    examples=("What is 1 < 2?", "Tell me more."),
    color="#123456",
)
MAX_LOADED_BYTES = 150_000


def never() -> Any:
    """Load no model."""
    raise DamagedFileError("Never loaded.")


def client(payload: Payload | None) -> TestClient:
    """Return a browser of the application that serves a payload whose model is not there."""
    state = ServerState(Engine(never, max_running=1), "tiny", "", {}, None, payload=payload)
    return TestClient(create_app(state), headers={"Accept": "text/html"})


@pytest.fixture
def branded(tmp_path: Path) -> TestClient:
    """A solofile with branding, an icon and a licence."""
    path = tmp_path / "solofile"
    launcher = tmp_path / "launcher"
    launcher.write_bytes(b"launcher")
    with path.open("wb") as file:
        writer = ContainerWriter(file)
        writer.write_launcher(launcher)
        writer.add_bytes("icon.svg", ICON)
        writer.add_bytes("LICENSES/LICENSE", LICENCE.encode())
        writer.finish()
    manifest: Manifest = msgspec.structs.replace(
        MANIFEST,
        branding=BRANDING,
        entries=[
            *MANIFEST.entries,
            EntryFacts(name="icon.svg", role="icon", size=len(ICON), sha256="33"),
            EntryFacts(name="LICENSES/LICENSE", role="licence", size=len(LICENCE), sha256="44"),
        ],
    )
    return client(Payload(path, Weights(path, 0, 1), manifest))


def test_the_builders_words_are_shown_as_text(branded: TestClient) -> None:
    """Title, greeting, examples and disclaimer are on the page, and nothing of them is HTML."""
    html = branded.get("/").text
    assert "<title>Ask &lt;Ada&gt;</title>" in html
    assert "Hello &amp; welcome" in html
    assert "What is 1 &lt; 2?</button>" in html
    assert "It may be &#34;wrong&#34;." in html
    assert "<Ada>" not in html
    assert 'data-model="tiny"' in html


def test_the_builders_colour_and_icon_are_served(branded: TestClient) -> None:
    """The page names a style sheet with the colour and the icon with its type."""
    assert 'href="page/brand.css"' in branded.get("/").text
    css = branded.get("/page/brand.css")
    assert "--accent: #123456" in css.text
    assert css.headers["content-type"] == "text/css; charset=utf-8"
    icon = branded.get("/page/icon")
    assert (icon.content, icon.headers["content-type"]) == (ICON, "image/svg+xml")


def test_without_branding_the_page_is_our_own() -> None:
    """A plain GGUF gets its name as the title, our icon and our words."""
    plain = client(None)
    html = plain.get("/").text
    assert "<title>tiny</title>" in html
    assert "brand.css" not in html
    assert "What would you like to talk about?" in html
    assert plain.get("/page/icon").content == (page_folder() / "icon.svg").read_bytes()
    assert plain.get("/page/brand.css").text == ""
    assert "plain model file" in plain.get("/page/about").text


def test_about_tells_the_manifest(branded: TestClient) -> None:
    """The facts, the digests and the licence's text, as text."""
    html = branded.get("/page/about").text
    for text in ("llama", "Q4_1", "0c1e57098", "LICENSES/LICENSE", "solofile verify", "&lt;b&gt;"):
        assert text in html
    assert "<b>" not in html


@pytest.mark.parametrize("path", ["/", "/page/about", "/page/code", "/docs"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_all_pages_have_a_policy_and_a_language(
    branded: TestClient, path: str, language: str
) -> None:
    """Every page forbids what it does not need, and tells caches on what it depends."""
    answer = branded.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["vary"] == "Accept-Language, Cookie"
    assert answer.headers["content-language"] == language
    assert " style=" not in answer.text
    assert "<script>" not in answer.text


def test_templates_are_no_files_to_fetch(branded: TestClient) -> None:
    """What jinja2 reads is not served as it stands."""
    for path in page_folder().glob("*.html"):
        assert branded.get(f"/page/{path.name}").status_code == 404


def test_the_page_is_small(branded: TestClient) -> None:
    """All that a browser loads to open it is less than 150 KB."""
    own = [path for kind in ("js", "css") for path in page_folder().glob(f"*.{kind}")]
    total = len(branded.get("/").content) + sum(path.stat().st_size for path in own)
    assert total < MAX_LOADED_BYTES
