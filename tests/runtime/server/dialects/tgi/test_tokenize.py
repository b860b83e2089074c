"""Tests of `/tokenize` and `/chat_tokenize` as text-generation-inference has them."""

import itertools
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.weights import Weights
from runtime.server.dialects.tgi.tokenize import simple_tokens


def _check(text: str, tokens: list[dict[str, Any]]) -> None:
    """Make sure that tokens tell the whole text, in order and without a gap."""
    assert all(token["text"] == text[token["start"] : token["stop"]] for token in tokens)
    assert (tokens[0]["start"], tokens[-1]["stop"]) == (0, len(text))
    for one, following in itertools.pairwise(tokens):
        assert one["start"] <= following["start"] <= one["stop"] <= following["stop"]


@pytest.mark.parametrize("text", ["Hello, Wörld", "😀😀", "<|im_start|>user\n 漢 字", "a"])
def test_tokens_tell_their_place(url: str, text: str) -> None:
    """Places count characters; tokens that share one tell all of it."""
    tokens = httpx.post(f"{url}/tokenize", json={"inputs": text}).json()
    _check(text, tokens)
    same = httpx.post(f"{url}/tokenize", json={"content": text}).json()
    assert [token["id"] for token in tokens] == same["tokens"]


def test_a_token_before_the_text_has_no_place(binding: None, minilm_gguf: Path) -> None:
    """Such as the one that begins a sequence, and the one that ends it."""
    weights = Weights(minilm_gguf, 0, minilm_gguf.stat().st_size)
    model = Model.load(Llama.load(), weights)
    tokens = model.tokenize("hello", add_special=True, parse_special=True)
    assert len(tokens) == 3
    places = [(token["start"], token["stop"]) for token in simple_tokens(model, "hello", tokens)]
    assert places == [(0, 0), (0, 5), (5, 5)]
    model.close()


def test_a_conversation(url: str) -> None:
    """Its prompt comes with the prompt's tokens."""
    body = {"model": "any", "messages": [{"role": "user", "content": "Grüß dich 😀"}]}
    told = httpx.post(f"{url}/chat_tokenize", json=body).json()
    assert "Grüß dich 😀" in told["templated_text"]
    assert told["tokenize_response"][0]["text"] == "<|im_start|>"
    _check(told["templated_text"], told["tokenize_response"])
