"""The page's stream parser, run in the browser it is written for."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page

PARSE = """async ({ bytes, cuts }) => {
    const { EventParser } = await import("/page/stream.js");
    return cuts.map((cut) => {
        const parser = new EventParser();
        const halves = [bytes.slice(0, cut), bytes.slice(cut)];
        const pieces = cut < 0 ? bytes.map((byte) => [byte]) : halves;
        const events = pieces.flatMap((piece) => parser.push(new Uint8Array(piece)));
        return [...events, ...parser.end()];
    });
}"""
COMPLETE = """async (pieces) => {
    const { complete } = await import("/page/stream.js");
    const encoder = new TextEncoder();
    const { fetch } = window;
    window.fetch = async () => new Response(new ReadableStream({
        start(controller) {
            for (const piece of pieces) controller.enqueue(encoder.encode(piece));
            controller.close();
        },
    }));
    const got = { chunks: [], error: null };
    try {
        for await (const chunk of complete({}, {})) got.chunks.push(chunk);
    } catch (error) {
        got.error = [error.constructor.name, error.message];
    }
    window.fetch = fetch;
    return got;
}"""
ONE_BY_ONE = -1


def parse_at_every_cut(tab: Page, stream: str) -> list[list[str]]:
    """Parse a stream cut in two at every byte, and cut at all bytes; return each outcome."""
    data = list(stream.encode())
    cuts = [ONE_BY_ONE, *range(len(data) + 1)]
    outcomes: list[list[str]] = tab.evaluate(PARSE, {"bytes": data, "cuts": cuts})
    return outcomes


def complete(tab: Page, *pieces: str) -> Any:
    """Run a completion over a response made of these pieces."""
    return tab.evaluate(COMPLETE, list(pieces))


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ('data: {"a": "é€😀"}\n\ndata: [DONE]\n\n', ['{"a": "é€😀"}', "[DONE]"]),
        ("data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
        ("data: one\r\rdata: two\r\r", ["one", "two"]),
        ("data: first\ndata: second\n\n", ["first\nsecond"]),
        (": comment\n\nevent: x\nid: 7\ndata:tight\n\n", ["tight"]),
        ("data:  spaced\n\n", [" spaced"]),
        ("data\n\n", [""]),
        ("\ufeffdata: after a byte order mark\n\n", ["after a byte order mark"]),
        ("\n\n\n", []),
        ("data: without a blank line", ["without a blank line"]),
    ],
)
def test_the_cuts_of_a_stream_do_not_matter(tab: Page, stream: str, events: list[str]) -> None:
    """Whatever the borders of the network's pieces, the same events come out."""
    for outcome in parse_at_every_cut(tab, stream):
        assert outcome == events


def test_a_whole_answer_ends_without_error(tab: Page) -> None:
    """Chunks come out as they were sent, and [DONE] ends them."""
    got = complete(tab, 'data: {"n": 1}\n\nda', 'ta: {"n": 2}\n\ndata: [DONE]\n\n')
    assert got == {"chunks": [{"n": 1}, {"n": 2}], "error": None}


def test_an_error_in_the_middle_is_thrown(tab: Page) -> None:
    """An error event ends the stream with the server's own words."""
    error = json.dumps({"error": {"code": 500, "message": "out of memory", "type": "server_error"}})
    got = complete(tab, 'data: {"n": 1}\n\n', f"data: {error}\n\n", 'data: {"n": 2}\n\n')
    assert got["chunks"] == [{"n": 1}]
    assert got["error"] == ["ServerError", "out of memory"]


def test_a_stream_that_is_cut_off_is_an_error(tab: Page) -> None:
    """Without [DONE] an answer does not count as whole."""
    got = complete(tab, 'data: {"n": 1}\n\n')
    assert got["chunks"] == [{"n": 1}]
    assert got["error"] == ["TypeError", "the stream ended too early"]


def test_what_is_not_json_is_an_error(tab: Page) -> None:
    """Garbage in the stream is reported, not shown."""
    got = complete(tab, "data: <html>\n\n")
    assert got["error"] == ["ServerError", "The server sent something that is not JSON."]
