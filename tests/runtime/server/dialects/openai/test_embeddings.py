"""Embeddings and ranking over HTTP: OpenAI's own client, and llama-server's and Jina's forms."""

import base64
import json
import socket
import time
import urllib.error
import urllib.request
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from gguf import PoolingType

from runtime.engine.pooling import Pooling
from tests.minilm import MiniLM, cosine
from tests.runtime.server.in_process import serving

TEXTS = ["the weather is lovely today", "it is so sunny outside", "he drove to the stadium"]


@pytest.fixture(scope="module")
def url(binding: None, minilm_gguf: Path) -> Iterator[str]:
    """The address of a model that embeds."""
    with serving(minilm_gguf) as address:
        yield address


@pytest.fixture(scope="module")
def ranker(
    binding: None, minilm: MiniLM, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a model that ranks."""
    path = minilm.write(tmp_path_factory.mktemp("rank") / "rank.gguf", PoolingType.RANK)
    with serving(path) as address:
        yield address


@pytest.fixture(scope="module")
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def _post(url: str, body: dict[str, Any]) -> Any:
    """Return the answer, or the error object of one that is none."""
    request = urllib.request.Request(url, json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)["error"]


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_openais_client(client: openai.OpenAI, minilm: MiniLM, encoding: Any) -> None:
    """Texts come back as vectors in their order, in both encodings, with their tokens counted."""
    options = {"encoding_format": encoding} if encoding else {}
    answer = client.embeddings.create(model="any", input=TEXTS, **options)
    tokens = [minilm.tokens(text) for text in TEXTS]
    assert [item.index for item in answer.data] == [0, 1, 2]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == sum(map(len, tokens))
    for item, ids in zip(answer.data, tokens, strict=True):
        vector: Any = item.embedding
        if encoding == "base64":
            vector = list(array("f", base64.b64decode(vector)))
        assert cosine(vector, minilm.embed(ids)) > 0.999


def test_every_form_of_input(client: openai.OpenAI, minilm: MiniLM) -> None:
    """A text, a list of one, its tokens and a list of those all mean the same."""
    tokens = minilm.tokens(TEXTS[0])
    forms: list[Any] = [TEXTS[0], [TEXTS[0]], tokens, [tokens]]
    vectors = [
        client.embeddings.create(model="any", input=form).data[0].embedding for form in forms
    ]
    for vector in vectors[1:]:
        assert vector == pytest.approx(vectors[0], abs=1e-6)


def test_llama_servers_own_form(url: str, minilm: MiniLM) -> None:
    """`/embedding` answers with a list of vectors for each input, scaled as asked."""
    (item,) = _post(f"{url}/embedding", {"content": TEXTS[0], "embd_normalize": -1})
    assert item["index"] == 0
    expected = minilm.forward(minilm.tokens(TEXTS[0])).mean(axis=0)
    assert item["embedding"][0] == pytest.approx(expected.tolist(), abs=0.01)
    assert len(_post(f"{url}/embedding", {"input": TEXTS})) == 3


@pytest.mark.parametrize(
    ("body", "code", "kind", "words"),
    [
        ({"input": "word " * 600}, 400, "exceed_context_size_error", "602 tokens, and at most 512"),
        ({"input": []}, 400, "invalid_request_error", "no input"),
        ({"input": ["a", []]}, 400, "invalid_request_error", "Input 1 is empty"),
        ({"input": [1, "a"]}, 400, "invalid_request_error", "mixes"),
        ({"input": [99999]}, 400, "invalid_request_error", "0 to 30521"),
        ({"input": "a", "dimensions": 64}, 400, "invalid_request_error", "384 dimensions"),
        ({"input": "a", "encoding_format": "int8"}, 400, "invalid_request_error", "int8"),
        ({}, 400, "invalid_request_error", "input"),
    ],
)
def test_unusable_requests(
    url: str, body: dict[str, Any], code: int, kind: str, words: str
) -> None:
    """Each mistake is told with llama-server's code and type."""
    error = _post(f"{url}/v1/embeddings", body)
    assert (error["code"], error["type"]) == (code, kind)
    assert words in error["message"]
    if kind == "exceed_context_size_error":
        assert (error["n_prompt_tokens"], error["n_ctx"]) == (602, 512)


def test_dimensions_as_they_are(client: openai.OpenAI) -> None:
    """Asking for as many dimensions as there are is no mistake."""
    answer = client.embeddings.create(model="any", input="a", dimensions=384)
    assert len(answer.data[0].embedding) == 384


def test_it_does_not_chat(url: str, client: openai.OpenAI) -> None:
    """A chat request is refused in one sentence, and the page says what the model is for."""
    with pytest.raises(openai.APIStatusError, match="generates no text") as caught:
        client.chat.completions.create(model="any", messages=[{"role": "user", "content": "Hi"}])
    assert caught.value.status_code == 501
    with urllib.request.urlopen(f"{url}/", timeout=30) as response:
        page = response.read().decode()
    assert "does not chat" in page
    assert f"<code>{url}/v1/embeddings</code>" in page


def test_it_does_not_rank(url: str) -> None:
    """A model without rank pooling refuses to rank."""
    error = _post(f"{url}/v1/rerank", {"query": "weather", "documents": TEXTS})
    assert (error["code"], error["type"]) == (501, "not_supported_error")


def test_a_client_that_goes_frees_the_engine(url: str) -> None:
    """The rest of a large request is not computed once its client has gone."""
    body = json.dumps({"input": ["word " * 400] * 5000}).encode()
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        connection.sendall(body)
        time.sleep(1)
        busy = _processor_time()
    deadline = time.monotonic() + 10
    while _processor_time() >= busy / 4:
        assert time.monotonic() < deadline, "it still computes"


def _processor_time() -> float:
    """Return what this process, server and engine included, computes in a second."""
    before = time.process_time()
    time.sleep(1)
    return time.process_time() - before


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank", "/v1/reranking", "/reranking"])
def test_jinas_form(ranker: str, minilm: MiniLM, path: str) -> None:
    """The best documents come first with the head's own score, and their texts if asked."""
    body = {"query": "what is the weather", "documents": TEXTS, "top_n": 2}
    answer = _post(ranker + path, body | {"return_documents": True})
    pairs = [minilm.tokens(f"what is the weather [SEP] {text}")[:-1] for text in TEXTS]
    expected = [minilm.rank(pair) for pair in pairs]
    order = sorted(range(3), key=expected.__getitem__, reverse=True)[:2]
    assert [result["index"] for result in answer["results"]] == order
    for result in answer["results"]:
        assert result["relevance_score"] == pytest.approx(expected[result["index"]], abs=0.01)
        assert result["document"] == {"text": TEXTS[result["index"]]}
    assert answer["usage"]["total_tokens"] == sum(map(len, pairs))


def test_teis_form(ranker: str) -> None:
    """With `texts` the answer is a plain list of scores."""
    answer = _post(f"{ranker}/rerank", {"query": "weather", "texts": TEXTS, "return_text": True})
    assert [item["text"] for item in answer] == [TEXTS[item["index"]] for item in answer]
    assert [item["score"] for item in answer] == sorted(
        (item["score"] for item in answer), reverse=True
    )
    plain = _post(f"{ranker}/rerank", {"query": "weather", "documents": [{"text": "it rains"}]})
    assert set(plain["results"][0]) == {"index", "relevance_score"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"query": "a"}, "no documents"),
        ({"documents": ["a"]}, "query"),
        ({"query": "a", "documents": ["b"], "top_n": 0}, "top_n is 0"),
    ],
)
def test_unusable_rankings(ranker: str, body: dict[str, Any], words: str) -> None:
    """Each mistake is told."""
    error = _post(f"{ranker}/v1/rerank", body)
    assert (error["code"], error["type"]) == (400, "invalid_request_error")
    assert words in error["message"]


def test_a_ranker_does_not_embed(ranker: str) -> None:
    """Its scores are no embeddings."""
    error = _post(f"{ranker}/v1/embeddings", {"input": "a"})
    assert (error["code"], error["type"]) == (501, "not_supported_error")
    with urllib.request.urlopen(f"{ranker}/", timeout=30) as response:
        assert "/v1/rerank</code>" in response.read().decode()


def test_without_pooling(binding: None, minilm_gguf: Path, minilm: MiniLM) -> None:
    """Tokens' vectors are had in llama-server's form, and OpenAI's has no place for them."""
    with serving(minilm_gguf, Pooling.NONE) as address:
        (item,) = _post(f"{address}/embedding", {"content": TEXTS[0]})
        assert len(item["embedding"]) == len(minilm.tokens(TEXTS[0]))
        error = _post(f"{address}/v1/embeddings", {"input": TEXTS[0]})
        assert (error["code"], "pooling" in error["message"]) == (400, True)
