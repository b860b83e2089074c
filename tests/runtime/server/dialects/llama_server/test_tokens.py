"""Tests of `/tokenize` and `/detokenize`, with the real model and llama-server's answers."""

from typing import Any

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"content": "Hello, Wörld é 😀"}, [19556, 28, 408, 29989, 400, 26411, 40303, 218]),
        (
            {"content": "Hello<|im_end|>", "parse_special": False},
            [19556, 44, 108, 306, 79, 486, 108, 46],
        ),
        (
            {"content": "Hello<|im_end|>", "add_special": True, "with_pieces": True},
            [{"id": 19556, "piece": "Hello"}, {"id": 2, "piece": "<|im_end|>"}],
        ),
        (
            {"content": ["Hello", 1, "x"], "with_pieces": True},
            [
                {"id": 19556, "piece": "Hello"},
                {"id": 1, "piece": "<|im_start|>"},
                {"id": 104, "piece": "x"},
            ],
        ),
        (
            {"content": "😀", "with_pieces": True},
            [
                {"id": 10813, "piece": [240, 159]},
                {"id": 242, "piece": [152]},
                {"id": 218, "piece": [128]},
            ],
        ),
        ({}, []),
    ],
)
def test_texts_become_tokens(http: TestClient, body: dict[str, Any], tokens: list[Any]) -> None:
    """Those that llama-server gives; a piece that is no text comes as bytes."""
    assert http.post("/tokenize", json=body).json() == {"tokens": tokens}


@pytest.mark.parametrize(
    ("body", "content"), [({"tokens": [19556, 28, 1]}, "Hello,<|im_start|>"), ({}, "")]
)
def test_tokens_become_texts(http: TestClient, body: dict[str, Any], content: str) -> None:
    """Control tokens by their names."""
    assert http.post("/detokenize", json=body).json() == {"content": content}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tokenize", {"content": 5}),
        ("/tokenize", {"content": [49152]}),
        ("/detokenize", {"tokens": "x"}),
        ("/detokenize", {"tokens": [-1]}),
        ("/detokenize", {"tokens": [49152]}),
    ],
)
def test_what_is_none_is_refused(http: TestClient, path: str, body: dict[str, Any]) -> None:
    """As a client's mistake, where llama-server says that it failed."""
    answer = http.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
