"""Tests of Ollama's embeddings, with its client, the real model and a real one for embeddings."""

import math
from collections.abc import Iterator
from pathlib import Path

import ollama
import pytest

from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.weights import Weights
from runtime.server.dialects.ollama.embed import input_tokens
from tests.minilm import MiniLM, cosine
from tests.runtime.server.in_process import serving

TEXT = "the weather is lovely today"


@pytest.fixture(scope="module")
def embedder(binding: None, minilm_gguf: Path) -> Iterator[ollama.Client]:
    """The client of an application that serves all-MiniLM-L6-v2."""
    with serving(minilm_gguf) as url, ollama.Client(url) as client:
        yield client


def test_texts_are_embedded(embedder: ollama.Client, minilm: MiniLM) -> None:
    """Each text has a vector of length 1, which is the model's."""
    one = embedder.embed("any", TEXT)
    assert one.prompt_eval_count == len(minilm.tokens(TEXT))
    assert one.total_duration
    several = embedder.embed("any", [TEXT, "rain"])
    assert len(several.embeddings) == 2
    expected = minilm.embed(minilm.tokens(TEXT))
    assert cosine(list(one.embeddings[0]), expected) > 0.999
    assert cosine(list(several.embeddings[0]), expected) > 0.999
    assert math.isclose(math.hypot(*one.embeddings[0]), 1, abs_tol=1e-5)


def test_the_older_route(embedder: ollama.Client, minilm: MiniLM) -> None:
    """`/api/embeddings` has one vector, and an empty prompt none."""
    vector = list(embedder.embeddings("any", TEXT).embedding)
    assert cosine(vector, minilm.embed(minilm.tokens(TEXT))) > 0.999
    assert list(embedder.embeddings("any", "").embedding) == []
    assert list(embedder.embed("any", "").embeddings) == []


def test_vectors_are_cut_and_scaled(embedder: ollama.Client) -> None:
    """Fewer `dimensions` are the first ones, of length 1 again."""
    whole = embedder.embed("any", TEXT).embeddings[0]
    cut = embedder.embed("any", TEXT, dimensions=8).embeddings[0]
    length = math.hypot(*whole[:8])
    assert cut == pytest.approx([value / length for value in whole[:8]], abs=1e-6)
    assert len(embedder.embed("any", TEXT, dimensions=9999).embeddings[0]) == 384


def test_a_long_text_is_cut_unless_it_must_not(embedder: ollama.Client) -> None:
    """As Ollama does it; what was cut is not counted."""
    long = "word " * 600
    assert embedder.embed("any", long).prompt_eval_count == 512
    with pytest.raises(ollama.ResponseError, match="An input has 602 tokens") as caught:
        embedder.embed("any", long, truncate=False)
    assert caught.value.status_code == 400


def test_a_cut_text_keeps_what_is_around_it(binding: None, minilm_gguf: Path) -> None:
    """The tokens that the model wants before and behind a text stay."""
    model = Model.load(Llama.load(), Weights(minilm_gguf, 0, minilm_gguf.stat().st_size))
    whole = input_tokens(model, TEXT, None)
    cut = input_tokens(model, TEXT, 4)
    assert len(whole) == 7
    assert cut == [*whole[:3], whole[-1]]
    assert input_tokens(model, TEXT, 7) == whole
    model.close()


def test_a_chat_model_embeds(client: ollama.Client) -> None:
    """By the mean of its tokens' vectors."""
    [vector] = client.embed("any", TEXT).embeddings
    assert len(vector) == 576


def test_a_model_for_embeddings_does_not_chat(embedder: ollama.Client) -> None:
    """It says so, and `show` does."""
    with pytest.raises(ollama.ResponseError, match="generates no text") as caught:
        embedder.chat("any", [{"role": "user", "content": "Hi"}])
    assert caught.value.status_code == 501
    assert embedder.show("any").capabilities == ["embedding"]
