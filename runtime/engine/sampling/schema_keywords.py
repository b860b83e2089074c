"""What a JSON schema says, read into one form and checked."""

import json
import math
from typing import Any

from runtime.engine.sampling.schema_errors import SchemaError

TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")

# Which keywords constrain values of which type.
KEYWORDS_OF_TYPES = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
_OTHER_KEYWORDS = ("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "nullable")
_KEYWORDS = {*_OTHER_KEYWORDS, *(key for keys in KEYWORDS_OF_TYPES.values() for key in keys)}
_UNSUPPORTED = (
    "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies",
    "patternProperties", "propertyNames", "minProperties", "maxProperties", "uniqueItems",
    "contains", "minContains", "maxContains", "multipleOf", "unevaluatedProperties",
    "unevaluatedItems", "$dynamicRef", "$recursiveRef",
)  # fmt: skip

_SHAPES: dict[str, tuple[type, ...]] = {
    "properties": (dict,),
    "required": (list,),
    "additionalProperties": (dict, bool),
    "items": (dict, bool),
    "prefixItems": (list,),
    "pattern": (str,),
    "format": (str,),
    "enum": (list,),
    "anyOf": (list,),
    "oneOf": (list,),
    "allOf": (list,),
    "$ref": (str,),
}
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
_BOUNDS = KEYWORDS_OF_TYPES["number"]
# Digits beyond these would nest the grammar too deep.
_MAX_BOUND = 10**30


def keywords(schema: Any, path: str) -> dict[str, Any]:
    """Return the keywords that constrain, each in its newest form; annotations are left out.

    Raises:
        SchemaError: A keyword's value is wrong, or the keyword is not supported.
    """
    if isinstance(schema, bool):
        return {} if schema else {"enum": []}
    if not isinstance(schema, dict):
        raise SchemaError(path, "a schema must be an object, true or false")
    for key in _UNSUPPORTED:
        if schema.get(key) not in (None, False):
            raise SchemaError(path, f"{key} is not supported")
    found = {key: value for key, value in schema.items() if key in _KEYWORDS}
    if isinstance(schema.get("items"), list):
        found["prefixItems"] = found.pop("items")
        if "additionalItems" in schema:
            found["items"] = schema["additionalItems"]
    if "const" in found:
        found["enum"] = [value for value in [found.pop("const")] if _is_in(value, schema)]
    _check(found, path)
    _read_types(found, path)
    _read_bounds(found, path)
    return found


def is_of_type(value: Any, kind: str) -> bool:
    """Say whether a value of JSON has a type."""
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "integer":
            return not isinstance(value, bool) and (
                isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            )
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _is_in(value: Any, schema: dict[str, Any]) -> bool:
    wanted = json.dumps(value, sort_keys=True)
    others = schema.get("enum")
    return not isinstance(others, list) or wanted in [json.dumps(o, sort_keys=True) for o in others]


def _check(found: dict[str, Any], path: str) -> None:
    for key, value in found.items():
        if key in _SHAPES and not isinstance(value, _SHAPES[key]):
            raise SchemaError(path, f"{key} has a value of the wrong type")
        if key in _COUNTS:
            if not is_of_type(value, "integer") or value < 0:
                raise SchemaError(path, f"{key} must be a whole number from 0 on")
            found[key] = int(value)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in found and not found[key]:
            raise SchemaError(path, f"{key} is empty")
    if not all(isinstance(name, str) for name in found.get("required", [])):
        raise SchemaError(path, "required must name properties")


def _read_types(found: dict[str, Any], path: str) -> None:
    """Make `type` a list, and `nullable` a part of it."""
    is_nullable = found.pop("nullable", False) is True
    if "type" in found:
        kinds = found["type"] if isinstance(found["type"], list) else [found["type"]]
        if unknown := [kind for kind in kinds if kind not in TYPES]:
            shown = json.dumps(unknown[0])[:50]
            raise SchemaError(path, f"the type {shown} is unknown; types are {', '.join(TYPES)}")
        if not kinds:
            raise SchemaError(path, "type is empty")
        found["type"] = [*kinds, "null"] if is_nullable and "null" not in kinds else kinds
    if "enum" in found:
        if not found["enum"]:
            return
        if is_nullable and None not in found["enum"]:
            found["enum"] = [*found["enum"], None]
    elif is_nullable and "type" not in found:
        found["anyOf"] = [{"type": "null"}, *([{**found}] if found else [{}])]
        for key in set(found) - {"anyOf"}:
            del found[key]


def _read_bounds(found: dict[str, Any], path: str) -> None:
    """Make the flags of older schemas bounds, and whole numbers integers."""
    for flag, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(flag), bool) and found.pop(flag) and bound in found:
            found[flag] = found.pop(bound)
    for key in _BOUNDS:
        if key not in found:
            continue
        value = found[key]
        if not is_of_type(value, "number") or not math.isfinite(value):
            raise SchemaError(path, f"{key} must be a number")
        if abs(value) > _MAX_BOUND:
            raise SchemaError(path, f"{key} is beyond {_MAX_BOUND:.0e}")
        if is_of_type(value, "integer"):
            found[key] = int(value)
