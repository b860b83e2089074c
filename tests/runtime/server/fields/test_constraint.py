"""Tests of constrained answers, with OpenAI's client and the real model."""

import json
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Paris, as JSON."}]
CITY = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["city", "town"]},
        "million": {"type": "integer", "minimum": 1, "maximum": 20},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["kind", "million", "code"],
}
WAYS: list[dict[str, Any]] = [
    {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "city", "schema": CITY, "strict": True},
        }
    },
    {"response_format": {"type": "json_object", "schema": CITY}},
    {"extra_body": {"json_schema": CITY}},
]


def _check(text: str) -> None:
    city = json.loads(text)
    assert list(city) == ["kind", "million", "code"]
    assert city["kind"] in ("city", "town")
    assert 1 <= city["million"] <= 20
    assert len(city["code"]) == 3
    assert city["code"].isupper()


@pytest.mark.parametrize("way", WAYS, ids=["openai", "llama-server", "json_schema"])
def test_an_answer_satisfies_its_schema(client: openai.OpenAI, way: dict[str, Any]) -> None:
    """In each spelling, all choices are JSON as asked for, with likelihoods for every token."""
    done = client.chat.completions.create(
        model="any", messages=ASK, n=2, seed=3, logprobs=True, **way
    )
    for choice in done.choices:
        assert choice.finish_reason == "stop"
        _check(choice.message.content or "")
        assert choice.logprobs
        assert choice.logprobs.content
        told = "".join(token.token for token in choice.logprobs.content)
        assert told == choice.message.content


def test_a_streamed_answer_satisfies_its_schema(client: openai.OpenAI) -> None:
    """Put together, the chunks are JSON as asked for."""
    stream: Any = client.chat.completions.create(model="any", messages=ASK, stream=True, **WAYS[0])
    _check("".join(chunk.choices[0].delta.content or "" for chunk in stream))


@pytest.mark.parametrize("schema", [None, {}])
def test_a_json_object_may_have_an_empty_schema(client: openai.OpenAI, schema: Any) -> None:
    """An empty schema, or none, means any object."""
    wanted: Any = {"type": "json_object"} | ({} if schema is None else {"schema": schema})
    done = client.chat.completions.create(
        model="any", messages=ASK, response_format=wanted, max_tokens=3
    )
    assert (done.choices[0].message.content or "").startswith("{")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"json_schema": {"type": "x"}}, 'at #, the type "x" is unknown'),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"not": {}}}}},
            "not is not supported",
        ),
        ({"response_format": {"type": "json_schema"}}, "needs json_schema.schema"),
        ({"response_format": {"type": "xml"}}, "has the type xml, which is unknown"),
        ({"response_format": {"schema": {}}}, "response_format needs a type"),
        ({"json_schema": {}, "grammar": 'root ::= "a"'}, "grammar and json_schema, not both"),
        (
            {"response_format": {"type": "json_object"}, "grammar": 'root ::= "a"'},
            "grammar and response_format, not both",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_is_refused(
    client: openai.OpenAI, body: dict[str, Any], reason: str, stream: bool
) -> None:
    """A schema or format that cannot be used, or two at once, is a 400 with the reason."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="any", messages=ASK, stream=stream, extra_body=body)
    assert reason in caught.value.message


def test_a_lazy_grammar_waits_for_its_trigger(client: openai.OpenAI) -> None:
    """Of llama-server's triggers, words and tokens are taken, and patterns refused."""
    body = {
        "grammar": 'root ::= "json" [^!]{0,20} "!"',
        "grammar_lazy": True,
        "grammar_triggers": [{"type": 0, "value": "", "token": 0}, {"type": 1, "value": "json"}],
    }
    done = client.chat.completions.create(model="any", messages=ASK, temperature=0, extra_body=body)
    content = done.choices[0].message.content or ""
    assert content.startswith("```json")
    assert content.endswith("!")
    with pytest.raises(openai.InternalServerError, match="the type 2"):
        client.chat.completions.create(
            model="any", messages=ASK, extra_body=body | {"grammar_triggers": [{"type": 2}]}
        )


def test_a_body_that_nests_too_deep_is_refused(client: openai.OpenAI) -> None:
    """Hundreds of thousands of brackets are a 400."""
    deep = '{"messages": [], "json_schema": ' + "[" * 300_000 + "]" * 300_000 + "}"
    with pytest.raises(openai.BadRequestError, match="nests"):
        client.post("/chat/completions", cast_to=object, content=deep.encode())
