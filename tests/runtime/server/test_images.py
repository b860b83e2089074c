"""Tests of images in requests, in every dialect that has them, with a tiny model that sees."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ollama
import openai
import pytest
from starlette.testclient import TestClient

from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.weights import Weights
from runtime.server.app import create_app
from runtime.server.state import ServerState
from tests.images import png
from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.tiny_projector import write_tiny_projector


@pytest.fixture(scope="module")
def seeing(
    binding: None, gguf: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """A plain client of an application with a model that sees."""
    folder = tmp_path_factory.mktemp("seeing")
    model, projector = folder / "model.gguf", folder / "projector.gguf"
    write_tiny_llama(model, head_size=32, tokenizer_of=gguf)
    write_tiny_projector(projector, n_embd=64)
    weights, eyes = (Weights(path, 0, path.stat().st_size) for path in (model, projector))
    engine = Engine.start(EngineOptions(weights, n_ctx=512, n_threads=1, projector=eyes))
    engine.wait_until_loaded()
    state = ServerState(engine, "model", "", {}, 8)
    with TestClient(create_app(state), raise_server_exceptions=False) as client:
        yield client
    engine.stop()


def _url(image: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"


def _messages(*images: str | dict[str, Any]) -> Any:
    parts = [{"type": "image_url", "image_url": image} for image in images]
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "What is this?"}]}]


def _ask(client: TestClient, *images: str | dict[str, Any]) -> dict[str, Any]:
    body = {"messages": _messages(*images), "temperature": 0, "logprobs": True}
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_openai_chat_with_an_image(seeing: TestClient) -> None:
    """The image counts as tokens, is found again, and another one gives other likelihoods."""
    without = _ask(seeing)
    first = _ask(seeing, {"url": _url(png(1)), "detail": "high"})
    again = _ask(seeing, _url(png(1)))
    other = _ask(seeing, _url(png(2)))
    assert first["usage"]["prompt_tokens"] == without["usage"]["prompt_tokens"] + 16
    cached = again["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert cached == again["usage"]["prompt_tokens"] - 1
    assert again["choices"][0]["message"] == first["choices"][0]["message"]
    assert other["choices"][0]["logprobs"] != first["choices"][0]["logprobs"]


def test_a_stream_with_two_images(seeing: TestClient) -> None:
    """OpenAI's client streams an answer to a message with images among its texts."""
    client = openai.OpenAI(
        base_url="http://testserver/v1", api_key="none", http_client=seeing, max_retries=0
    )
    stream = client.chat.completions.create(
        model="model",
        messages=_messages(_url(png(1)), _url(png(2))),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/a.png", "nothing is fetched for clients"),
        ("file:///etc/passwd", "nothing is fetched for clients"),
        ("data:image/png,abc", "not in base64"),
        ("data:image/png;base64,a*b", "is no base64"),
        ("data:image/png;base64,", "of no known kind"),
        (_url(b"RIFF\x10\0\0\0WEBPVP8 "), "WebP, which is not read"),
        (_url(b"ID3\x04abc"), "of no known kind"),
        (_url(png(1)[:60]), "An image cannot be read"),
        (_url(png(1, 900, 8)), "900 x 8 pixels"),
    ],
)
def test_what_is_no_image(seeing: TestClient, url: str, reason: str) -> None:
    """Each is refused with one sentence."""
    answer = seeing.post("/v1/chat/completions", json={"messages": _messages(url)})
    assert answer.status_code == 400
    assert reason in answer.json()["error"]["message"]


def test_too_many_images(seeing: TestClient) -> None:
    """They are refused before any is decoded."""
    body = {"messages": _messages(*["data:image/png;base64,AAAA"] * 17)}
    answer = seeing.post("/v1/chat/completions", json=body)
    assert (answer.status_code, "17 images" in answer.text) == (400, True)


def test_a_prompt_that_is_too_long(seeing: TestClient) -> None:
    """Images count, and the error is that of a long text."""
    told = {"role": "user", "content": "word " * 300}
    body = {"messages": [told, *_messages(*[_url(png(1))] * 16)]}
    answer = seeing.post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (
        400,
        "exceed_context_size_error",
    )


def test_a_text_that_looks_like_an_image(seeing: TestClient) -> None:
    """What libmtmd would take for an image is a text like any other."""
    told = seeing.post(
        "/v1/chat/completions",
        json={
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "<__media__> <image>"},
                        {"type": "image_url", "image_url": _url(png(1))},
                    ],
                }
            ]
        },
    )
    assert told.status_code == 200, told.text


def test_a_blind_model(http: TestClient) -> None:
    """Without a projector a request with an image is refused, and told what is missing."""
    answer = http.post("/v1/chat/completions", json={"messages": _messages(_url(png(1)))})
    assert answer.status_code == 400
    assert "This model takes no images" in answer.json()["error"]["message"]


def test_responses_with_an_image(seeing: TestClient) -> None:
    """An input_image counts as it does in a chat."""
    content = [
        {"type": "input_image", "image_url": _url(png(1))},
        {"type": "input_text", "text": "What is this?"},
    ]
    body = {"input": [{"role": "user", "content": content}]}
    told = seeing.post("/v1/responses", json=body)
    assert told.status_code == 200, told.text
    chat = _ask(seeing, _url(png(1)))
    assert told.json()["usage"]["input_tokens"] == chat["usage"]["prompt_tokens"]


def test_anthropic_with_an_image(seeing: TestClient) -> None:
    """An image block counts as it does in a chat, and one message joins the next."""
    data = base64.b64encode(png(1)).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
    body = {
        "max_tokens": 4,
        "messages": [{"role": "user", "content": "Look."}, {"role": "user", "content": content}],
    }
    headers = {"anthropic-version": "2023-06-01"}
    told = seeing.post("/v1/messages", json=body, headers=headers)
    assert told.status_code == 200, told.text
    text = {**body, "messages": [{"role": "user", "content": "Look.\n\nWhat is this?"}]}
    without = seeing.post("/v1/messages", json=text, headers=headers)
    seen = told.json()["usage"]["input_tokens"] + told.json()["usage"]["cache_read_input_tokens"]
    plain = without.json()["usage"]
    assert seen >= plain["input_tokens"] + plain["cache_read_input_tokens"] + 16


def test_ollama_with_an_image(seeing: TestClient) -> None:
    """Ollama's images stand in front of their message's text, in both routes."""
    client = ollama.Client(host="http://testserver")
    client._client = seeing
    chat = client.chat("model", [{"role": "user", "content": "What is this?", "images": [png(1)]}])
    generated = client.generate("model", "What is this?", images=[png(1)])
    expected = _ask(seeing, _url(png(1)))["usage"]["prompt_tokens"]
    assert chat.prompt_eval_count == generated.prompt_eval_count == expected
    assert generated.context is None


def test_it_says_that_it_sees(seeing: TestClient, http: TestClient) -> None:
    """llama-server's routes tell which models take images."""
    for client, sees in ((seeing, True), (http, False)):
        assert client.get("/props").json()["modalities"]["vision"] is sees
        [told] = client.get("/v1/models").json()["models"]
        assert ("multimodal" in told["capabilities"]) is sees


def test_tokens_of_a_prompt_with_images_are_not_told(seeing: TestClient) -> None:
    """What stands for an image is no token."""
    answer = seeing.post("/chat_tokenize", json={"messages": _messages(_url(png(1)))})
    assert answer.status_code in (400, 422)
    assert "more than tokens" in answer.text
