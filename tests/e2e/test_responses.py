"""OpenAI's `/v1/responses` of a real solofile, asked by OpenAI's client."""

import time
from typing import Literal

import openai
import pytest
from openai.types.responses import FunctionToolParam
from pydantic import BaseModel

from tests.solofile import ServedSolofile

FRANCE = "Name the capital of France."
WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
    },
    "strict": True,
}


class City(BaseModel):
    """What a client wants to know of a city."""

    name: Literal["Paris", "Rome"]
    is_large: bool


@pytest.fixture(scope="module")
def client(served: ServedSolofile) -> openai.OpenAI:
    """OpenAI's client, pointed at the solofile."""
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0)


def test_a_question_is_answered(client: openai.OpenAI) -> None:
    """A response has the text, and is complete."""
    done = client.responses.create(model="any", input=FRANCE, temperature=0)
    assert "Paris" in done.output_text
    assert done.status == "completed"


def test_an_answer_is_streamed(client: openai.OpenAI) -> None:
    """OpenAI's helper puts the same text together from the pieces."""
    with client.responses.stream(model="any", input=FRANCE, temperature=0) as stream:
        texts = [event.delta for event in stream if event.type == "response.output_text.delta"]
        done = stream.get_final_response()
    assert "Paris" in done.output_text
    assert "".join(texts) == done.output_text
    assert len(texts) > 3


def test_a_schema_and_a_tool(client: openai.OpenAI) -> None:
    """What is demanded comes, so that the client can read it."""
    parsed = client.responses.parse(
        model="any", input="Tell me of Paris.", text_format=City, temperature=0
    )
    assert parsed.output_parsed is not None
    called = client.responses.create(
        model="any",
        input="How is the weather in Paris?",
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=0,
    )
    (call,) = called.output
    assert call.type == "function_call"
    assert call.name == "get_weather"


def test_what_cannot_be_done_is_refused(client: openai.OpenAI) -> None:
    """Nothing is stored, and the client is told what to do."""
    with pytest.raises(openai.BadRequestError, match="Send the whole conversation"):
        client.responses.create(model="any", input="Go on.", previous_response_id="resp_1")


def test_a_client_that_leaves_ends_its_request(
    client: openai.OpenAI, served: ServedSolofile
) -> None:
    """The engine has nothing to do soon after."""
    stream = client.responses.create(
        model="any", input="Count from 1 to 1000, one number a line.", stream=True
    )
    assert next(stream).type == "response.created"
    stream.close()
    deadline = time.monotonic() + 10
    while served.metrics()["llamacpp:requests_processing"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
