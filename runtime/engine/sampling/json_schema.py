"""JSON schemas as grammars, so that a model can write only what satisfies one."""

import json
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from runtime.engine.sampling.json_container import Property, array_rule, object_rule
from runtime.engine.sampling.json_grammar import GrammarRules, json_literal
from runtime.engine.sampling.json_merge import Schema, merged
from runtime.engine.sampling.json_number import integers, numbers
from runtime.engine.sampling.json_pattern import pattern_rule
from runtime.engine.sampling.schema_errors import ImpossibleError, SchemaError
from runtime.engine.sampling.schema_keywords import (
    KEYWORDS_OF_TYPES,
    TYPES,
    is_of_type,
    keywords,
)

# What a hostile schema could use up: the stack, and time.
MAX_DEPTH = 60
MAX_SCHEMAS = 3000
MAX_NAME_CHARS = 200

# Of RFC 3339, with the days that each month has.
_FORMATS = {
    "date": (
        '[0-9]{4} "-" ( ( "0" [13578] | "1" [02] ) "-" ( "0" [1-9] | [12] [0-9] | "3" [01] )'
        ' | ( "0" [469] | "11" ) "-" ( "0" [1-9] | [12] [0-9] | "30" )'
        ' | "02-" ( "0" [1-9] | "1" [0-9] | "2" [0-8] ) )'
        ' | ( [0-9] [0-9] ( "0" [48] | [2468] [048] | [13579] [26] )'
        ' | ( "0" [48] | [2468] [048] | [13579] [26] ) "00" ) "-02-29"'
    ),
    "time": (
        '( [01] [0-9] | "2" [0-3] ) ":" [0-5] [0-9] ":" [0-5] [0-9] ( "." [0-9]{1,9} )?'
        ' ( "Z" | [-+] ( [01] [0-9] | "2" [0-3] ) ":" [0-5] [0-9] )'
    ),
    "uuid": 'hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}',
}


def schema_grammar(schema: Any) -> str:
    """Return the grammar of the JSON that satisfies a schema.

    Properties come in the order of the schema. Where `additionalProperties` is left out, an object
    has the declared properties alone; one that declares none may have any. `oneOf` is taken for
    `anyOf`, and a `format` that is not known for an annotation.

    Raises:
        SchemaError: The schema is wrong, nothing satisfies it, or it is not supported.
    """
    rules = GrammarRules()
    return rules.text(schema_rule(schema, rules))


def schema_rule(schema: Any, rules: GrammarRules) -> str:
    """Return the name of the rule of the JSON that satisfies a schema.

    Args:
        schema: As for `schema_grammar`.
        rules: Where the rule is written, maybe beside others.

    Raises:
        SchemaError: The schema is wrong, nothing satisfies it, or it is not supported.
    """
    try:
        return _Compiler(schema, rules).rule()
    except RecursionError as error:
        raise SchemaError("#", "it nests too deep") from error


class _Compiler:
    """Writes the rules of one schema."""

    def __init__(self, root: Any, rules: GrammarRules) -> None:
        self._root = root
        self._rules = rules
        self._names: dict[str, str] = {}
        self._impossible: dict[str, ImpossibleError] = {}
        self._num_schemas = 0
        self._depth = 0
        # References that are being followed: with nothing written since, and with no way around.
        self._direct: set[str] = set()
        self._required: set[str] = set()

    def rule(self) -> str:
        return self._rule(self._root, "#")

    def _rule(self, schema: Any, path: str) -> str:
        """Return the name of a schema's rule."""
        self._depth += 1
        self._count(path)
        if self._depth > MAX_DEPTH:
            raise SchemaError(path, f"it nests more than {MAX_DEPTH} deep")
        try:
            if isinstance(schema, dict) and ("$ref" in schema or "allOf" in schema):
                return self._shared_rule(schema, path)
            return self._flat_rule(keywords(schema, path), path)
        finally:
            self._depth -= 1

    def _shared_rule(self, schema: Schema, path: str) -> str:
        """Return the rule of a schema that may contain itself: the same each time."""
        key = json.dumps(keywords(schema, path))
        if key in self._impossible:
            raise self._impossible[key]
        if key in self._direct or key in self._required:
            raise ImpossibleError(path, "it contains itself without end")
        if key in self._names:
            return self._names[key]
        name = self._names[key] = self._rules.reserve()
        direct, required = self._direct, self._required
        self._direct, self._required = direct | {key}, required | {key}
        try:
            self._rules.define(name, self._flat_rule(self._flat(schema, path), path))
        except ImpossibleError as error:
            self._impossible[key] = error
            # Other rules may refer to it; no character satisfies this one.
            self._rules.define(name, r"[^\U00000000-\U0010FFFF]")
            raise
        finally:
            self._direct, self._required = direct, required
        return name

    def _flat(self, schema: Any, path: str) -> Schema:
        """Return a schema with its references followed and its `allOf` merged."""
        self._depth += 1
        self._count(path)
        if self._depth > MAX_DEPTH:
            raise SchemaError(path, "references lead to references without end")
        try:
            own = keywords(schema, path)
            parts = own.pop("allOf", [])
            reference = own.pop("$ref", None)
            if reference is not None:
                own = merged(own, self._flat(self._target(reference, path), reference), path)
            for index, part in enumerate(parts):
                own = merged(own, self._flat(part, f"{path}/allOf/{index}"), path)
        finally:
            self._depth -= 1
        return own

    def _target(self, reference: str, path: str) -> Any:
        shown = json.dumps(reference)[:200]
        if reference != "#" and not reference.startswith("#/"):
            raise SchemaError(path, f"$ref {shown} does not begin with #/, so it is no local one")
        target = self._root
        for part in unquote(reference).split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            if isinstance(target, list) and part.isdecimal() and int(part) < len(target):
                target = target[int(part)]
            elif isinstance(target, dict) and part in target:
                target = target[part]
            else:
                raise SchemaError(path, f"$ref {shown} leads nowhere")
        return target

    def _flat_rule(self, schema: Schema, path: str) -> str:
        if "enum" in schema:
            return self._enum(schema, path)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                rest = {name: value for name, value in schema.items() if name != key}
                ways = [{"allOf": [rest, way]} if rest else way for way in schema[key]]
                return self._any_of(ways, f"{path}/{key}")
        kinds = schema.get("type") or [
            kind for kind, keys in KEYWORDS_OF_TYPES.items() if not schema.keys().isdisjoint(keys)
        ]
        if not kinds:
            return "value"
        if len(kinds) > 1:
            return self._any_of([{**schema, "type": [kind]} for kind in kinds], path)
        make: dict[str, Callable[[Schema, str], str]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "number": self._number,
            "integer": self._integer,
        }
        return make[kinds[0]](schema, path) if kinds[0] in make else kinds[0]

    def _any_of(self, ways: list[Any], path: str) -> str:
        """Return the rule of any of some schemas; those that nothing satisfies are left out."""
        names = []
        reason: ImpossibleError | None = None
        required = self._required
        if len(ways) > 1:
            self._required = set()
        for index, way in enumerate(ways):
            try:
                names.append(self._rule(way, f"{path}/{index}"))
            except ImpossibleError as error:
                reason = reason or error
        self._required = required
        if not names:
            raise reason or ImpossibleError(path, "it has no alternatives")
        return self._rules.any_of(names)

    def _enum(self, schema: Schema, path: str) -> str:
        kinds = schema.get("type", TYPES)
        values = [v for v in schema["enum"] if any(is_of_type(v, kind) for kind in kinds)]
        others = schema.keys() - {"enum", "type"}
        if not values:
            raise ImpossibleError(path, "no value is allowed")
        for key in sorted(others):
            if key in ("anyOf", "oneOf") or any(
                is_of_type(value, kind)
                for kind, keys in KEYWORDS_OF_TYPES.items()
                if key in keys
                for value in values
            ):
                raise SchemaError(path, f"{key} beside enum or const is not supported")
        return self._rules.any_of([self._rules.add(json_literal(value)) for value in values])

    def _object(self, schema: Schema, path: str) -> str:
        declared = schema.get("properties", {})
        required = set(schema.get("required", []))
        others = schema.get("additionalProperties", not declared)
        undeclared = [name for name in schema.get("required", []) if name not in declared]
        # What is required and not declared is what additionalProperties says, or anything.
        rest = schema.get("additionalProperties", True)
        members = declared | dict.fromkeys(undeclared, rest)
        properties = []
        for name, member in members.items():
            if others is not False and len(name) > MAX_NAME_CHARS:
                raise SchemaError(path, f"a property's name is over {MAX_NAME_CHARS} characters")
            where = f"{path}/properties/{name}"
            is_required = name in required
            rule = self._within(member, where, is_required=is_required)
            if rule:
                properties.append(Property(name, rule, is_required))
        other = self._within(others, f"{path}/additionalProperties", is_required=False)
        return object_rule(self._rules, properties, other)

    def _array(self, schema: Schema, path: str) -> str:
        low, high = schema.get("minItems", 0), schema.get("maxItems")
        if high is not None and low > high:
            raise ImpossibleError(path, f"minItems {low} is more than maxItems {high}")
        first = []
        is_cut = False
        for index, item in enumerate(schema.get("prefixItems", [])):
            where = f"{path}/prefixItems/{index}"
            rule = self._within(item, where, is_required=index < low)
            if not rule:
                is_cut = True
                break
            first.append(rule)
        others = (
            None
            if is_cut
            else self._within(
                schema.get("items", True), f"{path}/items", is_required=low > len(first)
            )
        )
        if others is None and low > len(first):
            raise ImpossibleError(path, f"minItems is {low}, and only {len(first)} are allowed")
        return array_rule(self._rules, first, others, low, high)

    def _string(self, schema: Schema, path: str) -> str:
        low, high = schema.get("minLength", 0), schema.get("maxLength")
        if high is not None and low > high:
            raise ImpossibleError(path, f"minLength {low} is more than maxLength {high}")
        known = schema.get("format") in {*_FORMATS, "date-time"}
        if ("pattern" in schema) + known + (low > 0 or high is not None) > 1:
            raise SchemaError(
                path, "pattern, format and lengths are supported one at a time, not together"
            )
        if "pattern" in schema:
            return pattern_rule(self._rules, schema["pattern"], path)
        if known:
            halves = ["date", "time"] if schema["format"] == "date-time" else [schema["format"]]
            body = ' "T" '.join(self._rules.add(_FORMATS[half]) for half in halves)
            return self._rules.add(f'"\\"" {body} "\\""')
        if low or high is not None:
            return self._rules.add(f'"\\"" {self._rules.repeat("character", low, high)} "\\""')
        return "string"

    def _integer(self, schema: Schema, path: str) -> str:
        bounds = _Bounds(schema)
        if bounds.low is None and bounds.high is None:
            return "integer"
        low = None if bounds.low is None else math.ceil(bounds.low)
        high = None if bounds.high is None else math.floor(bounds.high)
        if low is not None and bounds.is_low_open and low == bounds.low:
            low += 1
        if high is not None and bounds.is_high_open and high == bounds.high:
            high -= 1
        if low is not None and high is not None and low > high:
            raise ImpossibleError(path, "no integer lies between its bounds")
        return self._rules.add(integers(low, high))

    def _number(self, schema: Schema, path: str) -> str:
        bounds = _Bounds(schema)
        low, high = bounds.low, bounds.high
        if low is None and high is None:
            return "number"
        if isinstance(low, float) or isinstance(high, float):
            raise SchemaError(path, "a number's bounds are supported only as whole numbers")
        is_open = bounds.is_low_open or bounds.is_high_open
        if low is not None and high is not None and (low > high or (low == high and is_open)):
            raise ImpossibleError(path, "no number lies between its bounds")
        return self._rules.add(
            numbers(low, high, is_low_open=bounds.is_low_open, is_high_open=bounds.is_high_open)
        )

    def _within(self, schema: Any, path: str, *, is_required: bool) -> str | None:
        """Return the rule of a member; None if it must not be there.

        Raises:
            ImpossibleError: It must be there, and nothing satisfies it.
        """
        direct, required = self._direct, self._required
        self._direct = set()
        if not is_required:
            self._required = set()
        try:
            return self._rule(schema, path)
        except ImpossibleError:
            if is_required:
                raise
            return None
        finally:
            self._direct, self._required = direct, required

    def _count(self, path: str) -> None:
        self._num_schemas += 1
        if self._num_schemas > MAX_SCHEMAS:
            raise SchemaError(path, f"it comes to more than {MAX_SCHEMAS} schemas")


class _Bounds:
    """The tightest bounds of a number."""

    def __init__(self, schema: Schema) -> None:
        low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
        high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
        self.is_low_open = above is not None and (low is None or above >= low)
        self.is_high_open = below is not None and (high is None or below <= high)
        self.low: int | float | None = above if self.is_low_open else low
        self.high: int | float | None = below if self.is_high_open else high
