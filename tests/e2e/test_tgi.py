"""text-generation-inference's routes of a real solofile, asked by Hugging Face's client."""

import json

import pytest
from huggingface_hub import InferenceClient, TextGenerationInputGrammarType
from huggingface_hub.errors import ValidationError

from tests.solofile import ServedSolofile

PROMPT = "The capital of France is"


@pytest.fixture(scope="module")
def client(served: ServedSolofile) -> InferenceClient:
    """Hugging Face's client, pointed at the solofile."""
    return InferenceClient(model=served.url, token="none")


def test_a_text_goes_on(client: InferenceClient) -> None:
    """Whole and token by token it is the same text."""
    done = client.text_generation(PROMPT, max_new_tokens=10, details=True, return_full_text=False)
    assert "Paris" in done.generated_text
    assert done.details is not None
    assert done.details.finish_reason == "length"
    texts = list(client.text_generation(PROMPT, max_new_tokens=10, stream=True))
    assert "".join(texts) == done.generated_text


def test_a_schema(client: InferenceClient) -> None:
    """The text is JSON that satisfies it."""
    schema = {"properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"]}
    text = client.text_generation(
        PROMPT, grammar=TextGenerationInputGrammarType("json", schema), return_full_text=False
    )
    assert isinstance(json.loads(text)["city"], str)


def test_what_cannot_be_done_is_refused(client: InferenceClient) -> None:
    """The client raises its own error, with the reason."""
    with pytest.raises(ValidationError, match="watermark is not supported"):
        client.text_generation(PROMPT, watermark=True)


def test_a_chat(client: InferenceClient, served: ServedSolofile) -> None:
    """Its chats go to OpenAI's route."""
    done = InferenceClient(base_url=served.url, api_key="none").chat_completion(
        [{"role": "user", "content": "Name the capital of France."}], temperature=0
    )
    assert "Paris" in (done.choices[0].message.content or "")
