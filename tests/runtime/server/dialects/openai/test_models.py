"""Tests of `/v1/models`, with OpenAI's client and the real model."""

import openai
import pytest
from starlette.testclient import TestClient


def test_the_one_model_is_listed(client: openai.OpenAI, http: TestClient) -> None:
    """With OpenAI's fields, and what llama-server tells of the same file."""
    listed = client.models.list().data
    assert [(model.id, model.object) for model in listed] == [("model", "model")]
    told = http.get("/models").json()
    assert told["data"][0]["meta"] == {
        "vocab_type": 2,
        "n_vocab": 49152,
        "n_ctx": 1024,
        "n_ctx_train": 8192,
        "n_embd": 576,
        "n_params": 134515008,
        "size": 96576768,
        "ftype": "Q4_1",
    }
    assert told["models"][0]["capabilities"] == ["completion"]


def test_it_is_found_by_its_name(client: openai.OpenAI) -> None:
    """And no other is."""
    assert client.models.retrieve("model").id == "model"
    with pytest.raises(openai.NotFoundError, match="model is the one here"):
        client.models.retrieve("other")
