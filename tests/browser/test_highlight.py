"""The page's highlighter: what gets a colour, however the code arrives."""

import time

import pytest
from playwright.sync_api import Page

HIGHLIGHT = """async ({ pieces, language }) => {
    const { Highlighter } = await import("/page/highlight.js");
    const root = document.createElement("code");
    const highlighter = new Highlighter(root, language);
    for (const piece of pieces) highlighter.append(piece);
    highlighter.end();
    root.normalize();
    return [root.innerHTML, root.textContent];
}"""
LANGUAGES = ["python", "js", "sql", "html", "sh", "css", "haskell", "rust", "unknown", ""]


def highlight(tab: Page, language: str, *pieces: str) -> str:
    """Return the HTML of some code; its text must be what it was."""
    html, text = tab.evaluate(HIGHLIGHT, {"pieces": list(pieces), "language": language})
    assert text == "".join(pieces)
    return str(html)


@pytest.mark.parametrize(
    ("language", "code", "html"),
    [
        (
            "python",
            'x = f("a#b")  # why\n',
            'x = f(<span class="s">"a#b"</span>)  <span class="c"># why</span>\n',
        ),
        (
            "py",
            '"""one\ntwo""" if 1.5e3 else y2',
            (
                '<span class="s">"""one\ntwo"""</span> <span class="k">if</span> '
                '<span class="n">1.5e3</span> <span class="k">else</span> y2'
            ),
        ),
        (
            "JavaScript",
            "/* a\n b */ const s = `x\ny`; // z",
            (
                '<span class="c">/* a\n b */</span> <span class="k">const</span> s = '
                '<span class="s">`x\ny`</span>; <span class="c">// z</span>'
            ),
        ),
        ("sql", "SELECT a -- b", '<span class="k">SELECT</span> a <span class="c">-- b</span>'),
        (
            "html",
            '<a href="x"><!-- <b> -->',
            (
                '<span class="k">&lt;a</span> href=<span class="s">"x"</span>'
                '<span class="k">&gt;</span><span class="c">&lt;!-- &lt;b&gt; --&gt;</span>'
            ),
        ),
        ("sh", "echo 'a", '<span class="k">echo</span> <span class="s">\'a</span>'),
        ("unknown", "if <b>1</b>", "if &lt;b&gt;1&lt;/b&gt;"),
    ],
)
def test_pieces_get_the_colours_of_the_whole(
    tab: Page, language: str, code: str, html: str
) -> None:
    """Code that arrives letter by letter ends in the same colours as the whole at once."""
    assert highlight(tab, language, code) == html
    assert highlight(tab, language, *code) == html


def test_a_comment_without_end_is_coloured_at_the_end(tab: Page) -> None:
    """What is never closed is still a comment."""
    assert highlight(tab, "c", "/* a\n", "b") == '<span class="c">/* a\nb</span>'


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("unit", ["/*\n", "`", '"', "'''\n", "<", "<!--\n", "a\n", "0x", "\\", "-"])
def test_nothing_takes_long_to_colour(tab: Page, language: str, unit: str) -> None:
    """No repetition makes it slower than the length asks for."""
    lines = [f"{unit * 20}\n"] * 500
    start = time.monotonic()
    highlight(tab, language, *lines)
    assert time.monotonic() - start < 3
