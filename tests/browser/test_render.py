"""The page's renderer: what Markdown becomes, however it arrives, and that it never runs."""

import json
import time

import pytest
from playwright.sync_api import Page, Route

from tests.browser.chat import Chat

MANY = 200_000
SLOW_S = 4  # a second would do; what grows with the square of the length takes far more
RENDER = """async ({ pieces, isGrowing }) => {
    const { Renderer } = await import("/page/render.js");
    const root = document.createElement("div");
    const makeCode = (language) => {
        const node = document.createElement("pre");
        node.setAttribute("lang", language);
        return { node, append: (text) => node.append(text), end() {} };
    };
    const renderer = new Renderer(root, makeCode);
    for (const piece of pieces) {
        renderer.append(piece);
        renderer.draw();
    }
    if (!isGrowing) renderer.end();
    root.querySelectorAll("[dir=auto]").forEach((node) => node.removeAttribute("dir"));
    root.normalize();
    return root.innerHTML;
}"""
SOURCE = r"\frac{a}{b+1} \le \sqrt{2}"
HOSTILE = """\
<img src=x onerror="window.harmed = true"> <script>window.harmed = true</script>
[press me](javascript:window.harmed=true) **<b onclick="window.harmed=true">bold</b>**

- <iframe src="https://example.com/"></iframe>
- ![](https://example.com/pixel.png)

`<svg onload=window.harmed=true>`

```html"><img src=x onerror=window.harmed=true>
<style>body { display: none }</style>
```
"""


def render(tab: Page, *pieces: str, is_growing: bool = False) -> str:
    """Return the HTML of what these pieces of Markdown are drawn as."""
    return str(tab.evaluate(RENDER, {"pieces": list(pieces), "isGrowing": is_growing}))


def formula(text: str, source: str) -> str:
    """Return the HTML of a formula."""
    return f'<span class="math" dir="ltr" title="{source}">{text}</span>'


def link(address: str, text: str = "") -> str:
    """Return the HTML of a link."""
    return (
        f'<a href="{address}" title="{address}" target="_blank" rel="noopener noreferrer">'
        f"{text or address}</a>"
    )


def table(head: str, *rows: str) -> str:
    """Return the HTML of a table."""
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        '<div class="table" tabindex="0" role="group" aria-label="Table"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
        ("a **b** `c` *d* _e_", "<p>a <strong>b</strong> <code>c</code> <em>d</em> <em>e</em></p>"),
        ("***both***", "<p><strong><em>both</em></strong></p>"),
        ("**a `*` b**", "<p><strong>a <code>*</code> b</strong></p>"),
        ("2 * 3 * 4 and snake_case_name", "<p>2 * 3 * 4 and snake_case_name</p>"),
        ("2*3*4", "<p>2*3*4</p>"),
        (r"\*no\* \\ c:\dir", r"<p>*no* \ c:\dir</p>"),
        ("``a ` b``", "<p><code>a ` b</code></p>"),
        ("**open and `open", "<p>**open and `open</p>"),
        ("# One\n### Three\ntext", "<h3>One</h3><h5>Three</h5><p>text</p>"),
        ("#hashtag", "<p>#hashtag</p>"),
        ("- a\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("text\n* a\n\n* b", "<p>text</p><ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        (
            "3. a\n   - b\n4. c",
            '<ol start="3"><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ol>',
        ),
        ("- a\n\n  more\n\nend", "<ul><li><p>a</p><p>more</p></li></ul><p>end</p>"),
        ("1. a\n- b", '<ol start="1"><li><p>a</p></li></ol><ul><li><p>b</p></li></ul>'),
        ("3.5 is a number\n1986. A year", "<p>3.5 is a number\n1986. A year</p>"),
        ("a\n\n---\nb", "<p>a</p><hr><p>b</p>"),
        ("--- not a rule", "<p>--- not a rule</p>"),
        ("```py\nx = 1\n\n  y\n```\nend", '<pre lang="py">x = 1\n\n  y</pre><p>end</p>'),
        ("~~~\n```\n~~~", '<pre lang="">```</pre>'),
        ("````\n```\n````", '<pre lang="">```</pre>'),
        ("```\nnever closed", '<pre lang="">never closed</pre>'),
        ("```inline``` code", "<p><code>inline</code> code</p>"),
        (
            "2. a\n   ```sh\n   ls\n     -l\n   ```\n3. b",
            '<ol start="2"><li><p>a</p><pre lang="sh">ls\n  -l</pre></li><li><p>b</p></li></ol>',
        ),
        ("a & b < c > d", "<p>a &amp; b &lt; c &gt; d</p>"),
        ("~~gone~~ ~tilde~", "<p><del>gone</del> ~tilde~</p>"),
        (
            "> one\n> two\n>\n> three\n\nend",
            "<blockquote><p>one\ntwo</p><p>three</p></blockquote><p>end</p>",
        ),
        ("a > b", "<p>a &gt; b</p>"),
        (r"cost \(x_1 * y_2\) now", f"<p>cost {formula('x₁ * y₂', 'x_1 * y_2')} now</p>"),
        (
            r"\[ \frac{a}{b+1} \le \sqrt{2} \]",
            f"<p>{formula('a/(b+1) ≤ √2', SOURCE)}</p>",
        ),
        (r"$\sin\theta$", f"<p>{formula('sin θ', chr(92) + 'sin' + chr(92) + 'theta')}</p>"),
        ("$a_1*b$ and $$x^2$$", f"<p>{formula('a₁*b', 'a_1*b')} and {formula('x²', 'x^2')}</p>"),
        ("from $5 to $10, $5-$10", "<p>from $5 to $10, $5-$10</p>"),
        (r"\(never closed", "<p>(never closed</p>"),
        (
            "see [this](https://example.com/a_b_c).",
            f"<p>see {link('https://example.com/a_b_c', 'this')}.</p>",
        ),
        (
            "at https://example.com/x_y?a=1, or",
            f"<p>at {link('https://example.com/x_y?a=1')}, or</p>",
        ),
        ("[a](javascript:x) [b](ftp://c)", "<p>[a](javascript:x) [b](ftp://c)</p>"),
        (
            "| a | b |\n|---|--:|\n| 1 | *2* |\n| `x` |\n\nend",
            table(
                '<th>a</th><th class="end">b</th>',
                '<td>1</td><td class="end"><em>2</em></td>',
                '<td><code>x</code></td><td class="end"></td>',
            )
            + "<p>end</p>",
        ),
        (
            "a | b\n:-: | -\n1 | 2\n",
            table('<th class="center">a</th><th>b</th>', '<td class="center">1</td><td>2</td>'),
        ),
        ("a | b\n---", "<p>a | b</p><hr>"),
        ("| not | a table |\nend", "<p>| not | a table |\nend</p>"),
        ("- a\n- | b", "<ul><li><p>a</p></li><li><p>| b</p></li></ul>"),
        ("one\r\ntwo", "<p>one\ntwo</p>"),
    ],
)
def test_pieces_make_the_same_as_the_whole(tab: Page, markdown: str, html: str) -> None:
    """Text that arrives letter by letter ends as the same blocks as the whole text at once."""
    assert render(tab, markdown) == html
    assert render(tab, *markdown) == html


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("say **bol", "<p>say <strong>bol</strong></p>"),
        ("say **bold*", "<p>say <strong>bold</strong></p>"),
        ("call `f(x", "<p>call <code>f(x</code></p>"),
        ("```py\nx = 1\n``", '<pre lang="py">x = 1</pre>'),
        ("``", ""),
        ("1.", ""),
        ("text\n##", "<p>text</p>"),
    ],
)
def test_a_growing_answer_shows_no_half_marks(tab: Page, markdown: str, html: str) -> None:
    """While an answer is written, marks that are not complete yet do not flicker."""
    assert render(tab, *markdown, is_growing=True) == html


@pytest.mark.parametrize(
    "unit",
    [
        "*",
        "`",
        "_",
        "**a ",
        "$",
        "$a",
        "[",
        "[a](",
        "https://",
        "~~a ",
        r"\(",
        r"\(a\[",
        "> ",
        "|a",
        "|-",
        "*a _b ",
        "`a``b",
        "\\",
        "- ",
        "    - x\n",
        "# ",
        "1. ",
        "~",
        " ",
    ],
)
def test_nothing_takes_long_to_draw(tab: Page, unit: str) -> None:
    """No repetition makes drawing slower than the length of the text asks for."""
    text = (unit * MANY)[:MANY]
    for ending in ("", "x"):
        start = time.monotonic()
        render(tab, text + ending)
        assert time.monotonic() - start < SLOW_S


def test_complete_blocks_are_not_drawn_again(tab: Page) -> None:
    """What stands above the last block stays the very same nodes while text arrives."""
    script = """async () => {
        const { Renderer } = await import("/page/render.js");
        const root = document.createElement("div");
        const renderer = new Renderer(root, () => { throw new Error("no code here"); });
        renderer.append("first **bold**\\n\\nsec");
        renderer.draw();
        const before = [...root.firstChild.childNodes];
        renderer.append("ond\\n\\nthird");
        renderer.draw();
        renderer.end();
        const after = [...root.firstChild.childNodes];
        return before.length === after.length && before.every((node, i) => node === after[i]);
    }"""
    assert tab.evaluate(script)


def test_hostile_text_is_only_text(chat: Chat, page: Page) -> None:
    """HTML, scripts and links that a model writes are shown, not obeyed."""

    def answer(route: Route) -> None:
        chunk = {"choices": [{"index": 0, "delta": {"content": HOSTILE}, "finish_reason": "stop"}]}
        body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
        route.fulfill(headers={"Content-Type": "text/event-stream"}, body=body)

    page.route("**/v1/chat/completions", answer)
    shown = chat.ask("<img src=y onerror=window.harmed=true>")
    assert '<img src=x onerror="window.harmed = true">' in shown
    assert "<script>window.harmed = true</script>" in shown
    assert "[press me](javascript:window.harmed=true)" in shown
    assert "<style>body { display: none }</style>" in shown
    foreign = "#thread :is(img, script, iframe, style, b, svg[onload], [onclick], [onerror])"
    assert page.locator(foreign).count() == 0
    links = page.locator("#thread a").evaluate_all("links => links.map((link) => link.href)")
    assert links == ["https://example.com/", "https://example.com/pixel.png"]
    page.reload()
    assert '<img src=x onerror="window.harmed = true">' in chat.wait_for_answer()
    assert page.evaluate("() => window.harmed") is None
