"""The page's languages: which one a browser gets, and that none lacks a text."""

import re
from pathlib import Path

import pytest
from starlette.requests import Request

from runtime.server.languages import DEFAULT, choose_language, languages
from runtime.server.pages import page_folder

KNOWN = languages(page_folder() / "languages")
ENGLISH = KNOWN[DEFAULT].texts


def chosen(accepted: str = "", cookie: str = "") -> str:
    """Return what a browser with these headers gets."""
    headers = [(b"accept-language", accepted.encode()), (b"cookie", cookie.encode())]
    return choose_language(Request({"type": "http", "headers": headers}), KNOWN)


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh", "zh-CN"),
        ("ZH-hans", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("xx, zh-CN;q=0.1", "zh-CN"),
        ("zh;q=0, en;q=0.5", "en"),
        ("en;q=nothing, zh", "zh-CN"),
        ("*", "en"),
    ],
)
def test_the_browsers_dearest_language_is_taken(accepted: str, tag: str) -> None:
    """The weights decide; a language's family counts where the very one is missing."""
    assert chosen(accepted) == tag


def test_a_choice_counts_more() -> None:
    """The cookie of the page's own switch wins; one that names nothing known does not."""
    assert chosen("zh-CN", "a=b; language=en") == "en"
    assert chosen("zh-CN", "language=xx") == "zh-CN"


@pytest.mark.parametrize("tag", KNOWN)
def test_every_language_is_complete(tag: str) -> None:
    """Each language of ours has all texts, each with the same names to fill in, and a direction."""
    own = languages(page_folder() / "languages")[tag]
    file = (page_folder() / "languages" / f"{tag}.json").read_text(encoding="utf-8")
    assert own.direction in ("ltr", "rtl")
    for key, text in ENGLISH.items():
        assert f'"{key}":' in file
        assert set(re.findall(r"\{\w+\}", own.texts[key])) == set(re.findall(r"\{\w+\}", text)), key
    assert set(own.texts) == set(ENGLISH)


def test_every_text_is_used() -> None:
    """No text is left over that neither the templates nor the scripts name."""
    files = [path for path in page_folder().rglob("*") if path.suffix in (".html", ".js")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert [key for key in ENGLISH if f'"{key}"' not in code] == []


def test_missing_texts_are_english(tmp_path: Path) -> None:
    """A language that is only begun shows English for the rest."""
    (tmp_path / "en.json").write_text(
        '{"name": "English", "direction": "ltr", "texts": {"a": "A", "b": "B"}}', encoding="utf-8"
    )
    (tmp_path / "ar.json").write_text(
        '{"name": "العربية", "direction": "rtl", "texts": {"a": "أ"}}', encoding="utf-8"
    )
    assert dict(languages(tmp_path)["ar"].texts) == {"a": "أ", "b": "B"}
