"""Embeddings by real models, against a numpy reference."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gguf import PoolingType

from runtime.engine.embedding import (
    Embedded,
    EmbeddingEvent,
    EmbeddingRequest,
    InputSizeError,
)
from runtime.engine.engine import Engine, NoTextError
from runtime.engine.loading import EngineOptions
from runtime.engine.pooling import Pooling
from runtime.engine.sequence import GenerationRequest
from runtime.engine.weights import Weights
from tests.minilm import MiniLM, cosine
from tests.runtime.engine.asking import ask

SENTENCES = [
    "the weather is lovely today",
    "it is so sunny outside",
    "he drove to the stadium",
    "a cat sat on the mat " * 20,
]


@contextmanager
def _running(path: Path, pooling: Pooling | None = None) -> Iterator[Engine]:
    weights = Weights(path, 0, path.stat().st_size)
    engine = Engine.start(EngineOptions(weights, n_threads=1, pooling=pooling))
    engine.wait_until_loaded()
    yield engine
    engine.stop()


def _embed(engine: Engine, inputs: list[list[int]], normalize: int = 2) -> list[list[list[float]]]:
    events: queue.Queue[EmbeddingEvent] = queue.Queue()
    engine.embed(EmbeddingRequest(inputs, normalize), events.put)
    event = events.get(timeout=120)
    assert isinstance(event, Embedded), event
    return [embedding.vectors for embedding in event.embeddings]


def _tokens(engine: Engine, texts: list[str]) -> list[list[int]]:
    return [engine.model.tokenize(text, add_special=True, parse_special=True) for text in texts]


@pytest.fixture(scope="module")
def encoder(binding: None, minilm_gguf: Path) -> Iterator[Engine]:
    """all-MiniLM-L6-v2, loaded."""
    with _running(minilm_gguf) as engine:
        yield engine


def test_it_is_the_same_model(encoder: Engine, minilm: MiniLM) -> None:
    """Tokens and vectors of a batch are those of the checkpoint, computed by numpy."""
    inputs = _tokens(encoder, SENTENCES)
    assert inputs == [minilm.tokens(sentence) for sentence in SENTENCES]
    for tokens, (vector,) in zip(inputs, _embed(encoder, inputs), strict=True):
        assert cosine(vector, minilm.embed(tokens)) > 0.9999
        assert sum(value * value for value in vector) == pytest.approx(1)


def test_alone_or_with_others(encoder: Engine) -> None:
    """What else is in a batch does not change a vector."""
    inputs = _tokens(encoder, SENTENCES[:3])
    together = _embed(encoder, inputs)
    for tokens, (vector,) in zip(inputs, together, strict=True):
        assert cosine(vector, _embed(encoder, [tokens])[0][0]) > 0.99999


def test_similar_sentences_are_near(encoder: Engine) -> None:
    """The model's own example: two sentences on the weather, and one on something else."""
    weather, sun, car = (vectors[0] for vectors in _embed(encoder, _tokens(encoder, SENTENCES[:3])))
    assert cosine(weather, sun) > 0.6 > 0.3 > cosine(weather, car)


def test_the_longest_input(encoder: Engine, minilm: MiniLM) -> None:
    """An input of the model's whole length is embedded, one token more is refused."""
    inside = [101, *[2003] * 510, 102]
    assert cosine(_embed(encoder, [inside])[0][0], minilm.embed(inside)) > 0.999
    with pytest.raises(InputSizeError, match="513 tokens, and at most 512"):
        encoder.embed(EmbeddingRequest([[*inside, 102]]), lambda _: None)


def test_it_generates_no_text(encoder: Engine) -> None:
    """Asked for text, the model says that it has none."""
    with pytest.raises(NoTextError, match="generates no text"):
        encoder.submit(GenerationRequest([101, 102]), lambda _: None)


@pytest.mark.parametrize(("pooling", "row"), [(Pooling.CLS, 0), (Pooling.LAST, -1)])
def test_another_pooling(
    binding: None, minilm_gguf: Path, minilm: MiniLM, pooling: Pooling, row: int
) -> None:
    """Asked for the first or last token's vector, that is what comes, as long as it was."""
    tokens = minilm.tokens(SENTENCES[0])
    with _running(minilm_gguf, pooling) as engine:
        ((vector,),) = _embed(engine, [tokens], normalize=-1)
    assert vector == pytest.approx(minilm.forward(tokens)[row].tolist(), abs=0.02)


def test_no_pooling(binding: None, minilm_gguf: Path, minilm: MiniLM) -> None:
    """Without pooling every token of every input has its vector."""
    inputs = [minilm.tokens(sentence) for sentence in SENTENCES[:2]]
    with _running(minilm_gguf, Pooling.NONE) as engine:
        results = _embed(engine, inputs)
    for tokens, vectors in zip(inputs, results, strict=True):
        expected = minilm.forward(tokens)
        assert len(vectors) == len(tokens)
        for vector, reference in zip(vectors, expected, strict=True):
            assert cosine(vector, reference) > 0.999


def test_a_model_that_ranks(binding: None, minilm: MiniLM, tmp_path: Path) -> None:
    """Its classification head scores a query and a document, as numpy's does."""
    path = minilm.write(tmp_path / "rank.gguf", PoolingType.RANK)
    with _running(path) as engine:
        assert engine.embeds.pooling is Pooling.RANK
        pairs = [
            engine.model.query_and_document("what is the weather", sentence)
            for sentence in SENTENCES[:3]
        ]
        scores = [vectors[0][0] for vectors in _embed(engine, pairs)]
    # Llama.cpp ends such a pair without a separator where the vocabulary has no end token.
    assert pairs[0] == minilm.tokens(f"what is the weather [SEP] {SENTENCES[0]}")[:-1]
    assert scores == pytest.approx([minilm.rank(pair) for pair in pairs], abs=0.01)
    assert len(set(scores)) == 3


def test_a_model_that_generates(engine: Engine) -> None:
    """A chat model embeds too, in a context of its own, and goes on to answer as before."""
    question = "The capital of France is"
    assert ask(engine, question, temperature=0, max_tokens=1) == " Paris"
    near, other, far = (
        vectors[0]
        for vectors in _embed(
            engine, _tokens(engine, ["Cats are pets.", "Cats are lovely pets.", "x = 3 + y;"])
        )
    )
    assert engine.embeds.pooling is Pooling.MEAN
    assert cosine(near, other) > cosine(near, far)
    assert sum(value * value for value in near) == pytest.approx(1)
    assert ask(engine, question, temperature=0, max_tokens=1) == " Paris"
