"""Tests of what conversations become, with the real model's template and llama-server's answers."""

import pytest
from starlette.testclient import TestClient

MESSAGES = {"messages": [{"role": "user", "content": "Hi"}]}


def test_a_conversation_is_rendered(http: TestClient) -> None:
    """By the model's own template."""
    assert http.post("/apply-template", json=MESSAGES).json() == {
        "prompt": "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by "
        "Hugging Face<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    }


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions/input_tokens", "/chat/completions/input_tokens"]
)
def test_its_tokens_are_counted(http: TestClient, path: str) -> None:
    """As many as a completion counts."""
    assert http.post(path, json=MESSAGES).json() == {
        "object": "response.input_tokens",
        "input_tokens": 31,
    }


def test_a_conversation_without_messages_is_refused(http: TestClient) -> None:
    """With the reason."""
    answer = http.post("/apply-template", json={})
    assert answer.status_code == 400
    assert "messages" in answer.json()["error"]["message"]
