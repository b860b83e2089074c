"""What the text of an answer must be: a grammar, a JSON schema, or a response format."""

from typing import Any

import msgspec

from runtime.engine.sampling.json_grammar import JSON_OBJECT
from runtime.engine.sampling.json_schema import schema_grammar
from runtime.engine.sampling.trigger import GrammarTrigger
from runtime.errors import RequestError
from runtime.server.errors import NotSupportedError
from runtime.server.json import Integer

TOKEN = 0
WORD = 1


class TriggerBody(msgspec.Struct):
    """A trigger of a lazy grammar; llama-server's types are numbers."""

    type: Integer
    value: str = ""
    token: Integer | None = None

    def to_engine(self) -> GrammarTrigger:
        """Return it as the engine takes it."""
        if self.type == TOKEN and self.token is not None:
            return GrammarTrigger(token=self.token)
        if self.type == WORD:
            return GrammarTrigger(word=self.value)
        raise NotSupportedError(
            f"grammar_triggers has the type {self.type}, and only {TOKEN}, a token, and {WORD}, "
            "a word, are supported."
        )


class ConstraintFields(msgspec.Struct, kw_only=True):
    """The fields of a body that constrain its answer, in llama-server's and OpenAI's names."""

    grammar: str | None = None
    grammar_lazy: bool | None = None
    grammar_triggers: list[TriggerBody] | None = None
    json_schema: Any = None
    response_format: dict[str, Any] | None = None


def constraint(body: ConstraintFields) -> dict[str, Any]:
    """Return what constrains the text, by field of `SamplingParams`.

    Raises:
        RequestError: The fields do not fit together, or a schema cannot be used.
    """
    ways = {
        "grammar": body.grammar or None,
        "json_schema": None if body.json_schema is None else _of_schema(body.json_schema),
        "response_format": _of_format(body.response_format or {}),
    }
    grammars = {name: grammar for name, grammar in ways.items() if grammar}
    if len(grammars) > 1:
        raise RequestError(f"A request takes one of {' and '.join(grammars)}, not both.")
    asked: dict[str, Any] = {"grammar": next(iter(grammars.values()))} if grammars else {}
    if not body.grammar_lazy:
        return asked
    triggers = tuple(trigger.to_engine() for trigger in body.grammar_triggers or ())
    return asked | {"grammar_lazy": True, "grammar_triggers": triggers}


def _of_schema(schema: Any) -> str:
    # To llama-server an empty schema means any object.
    return JSON_OBJECT if schema == {} else schema_grammar(schema)


def _of_format(response_format: dict[str, Any]) -> str | None:
    match response_format:
        case {"type": "text"} | {"type": None}:
            return None
        case {"type": "json_object"}:
            return _of_schema(response_format.get("schema") or {})
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return _of_schema(schema)
        case {"type": "json_schema"}:
            raise RequestError("response_format of type json_schema needs json_schema.schema.")
        case {"type": kind}:
            raise RequestError(
                f"response_format has the type {str(kind)[:50]}, which is unknown.",
                hint="The types are json_object, json_schema, text.",
            )
        case _ if response_format:
            raise RequestError("response_format needs a type.")
    return None
