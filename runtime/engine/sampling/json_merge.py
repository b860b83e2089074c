"""Several JSON schemas that all must hold, as one."""

import json
from collections.abc import Callable
from typing import Any

from runtime.engine.sampling.schema_errors import ImpossibleError, SchemaError

Schema = dict[str, Any]

_MAX_PAIRS = 1000


def merged(first: Schema, second: Schema, path: str) -> Schema:
    """Return the schema of what satisfies two, which have neither `$ref` nor `allOf`.

    Raises:
        ImpossibleError: Nothing does.
        SchemaError: The two cannot be said as one.
    """
    _refuse_two_lists(first, second, path)
    for key in ("anyOf", "oneOf"):
        num_pairs = len(first.get(key, ())) * len(second.get(key, ()))
        if num_pairs > _MAX_PAIRS:
            raise SchemaError(path, f"the alternatives of two {key} multiply to {num_pairs}")
    result = first | second
    for key in first.keys() & second.keys():
        combine = _COMBINE.get(key)
        if combine:
            result[key] = combine(first[key], second[key])
        elif key not in _OBJECT_KEYS and first[key] != second[key]:
            raise SchemaError(path, f"two different {key} must hold at once, which is unsupported")
    if "type" in result and not result["type"]:
        raise ImpossibleError(path, "no type is allowed by all parts of allOf")
    if "enum" in result and not result["enum"]:
        raise ImpossibleError(path, "no value is allowed by all enums")
    if not _OBJECT_KEYS.isdisjoint(result):
        result |= _merged_members(first, second)
    return result


def _merged_members(first: Schema, second: Schema) -> Schema:
    """Return `properties`, `required` and `additionalProperties` of two schemas together."""
    properties: Schema = {}
    for one, other in ((first, second), (second, first)):
        known = other.get("properties", {})
        for name, schema in one.get("properties", {}).items():
            if name in known:
                properties.setdefault(name, {"allOf": [schema, known[name]]})
            elif "additionalProperties" in other:
                properties[name] = {"allOf": [schema, other["additionalProperties"]]}
            else:
                properties[name] = schema
    result: Schema = {
        "properties": properties,
        "required": list(dict.fromkeys(first.get("required", []) + second.get("required", []))),
    }
    rest = [s["additionalProperties"] for s in (first, second) if "additionalProperties" in s]
    if rest:
        result["additionalProperties"] = rest[0] if len(rest) == 1 else {"allOf": rest}
    return result


def _refuse_two_lists(first: Schema, second: Schema, path: str) -> None:
    both = [s for s in (first, second) if "items" in s or "prefixItems" in s]
    if len(both) == 2 and any("prefixItems" in s for s in both):
        raise SchemaError(path, "items and prefixItems of several schemas cannot be merged")


def _types(first: list[str], second: list[str]) -> list[str]:
    numbers = [{"integer", "number"} & set(each) for each in (first, second)]
    common = [kind for kind in first if kind in second]
    if "integer" in numbers[0] | numbers[1] and all(numbers) and "number" not in common:
        common = [*common, "integer"] if "integer" not in common else common
    return common


def _common(first: list[Any], second: list[Any]) -> list[Any]:
    known = {json.dumps(value, sort_keys=True) for value in second}
    return [value for value in first if json.dumps(value, sort_keys=True) in known]


def _all_of(first: Any, second: Any) -> Schema:
    return {"allOf": [first, second]}


def _pairs(first: list[Any], second: list[Any]) -> list[Any]:
    return [_all_of(one, other) for one in first for other in second]


_OBJECT_KEYS = {"properties", "required", "additionalProperties"}
_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": _common,
    "items": _all_of,
    "anyOf": _pairs,
    "oneOf": _pairs,
} | {
    key: combine
    for combine, keys in (
        (max, ("minItems", "minLength", "minimum", "exclusiveMinimum")),
        (min, ("maxItems", "maxLength", "maximum", "exclusiveMaximum")),
    )
    for key in keys
}
