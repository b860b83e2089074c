"""The first recipe of a project: every field with a word on it, the unused ones as comments."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from builder.recipe.fields import BrandingTable, ModelFields
from builder.recipe.schema import FILE_NAME

_HEAD = f"""\
#:schema ./{FILE_NAME}
#
# A recipe: `build` with this file's name makes the solofile that it describes.
# Paths are relative to this file. Lines that begin with `#` and no space are fields to use:
# take the `#` away. docs/recipe.md tells more of each.
"""
_TAIL = """
# Several models: what stands above holds for all of them, and each table says what is its own.
#[[model]]
#quantize = "Q8_0"
#[[model]]
#quantize = "Q4_K_M"
"""
_TABLES = ("settings", "branding")


def starter(values: Mapping[str, str]) -> str:
    """Return a recipe.

    Args:
        values: Texts for some of its fields, by their names; all others are comments.
    """
    fields = [
        _field(field, values)
        for field in msgspec.structs.fields(ModelFields)
        if field.encode_name not in _TABLES
    ]
    # One setting for each line of the example.
    settings = [f"#{key} = {_toml(value)}" for key, value in _example("settings").items()]
    branding = [_field(field, {}) for field in msgspec.structs.fields(BrandingTable)]
    parts = [
        _HEAD, *fields, "[settings]\n# Any of docs/settings.md, such as", *settings,
        "\n[branding]", *branding,
    ]  # fmt: skip
    return "\n".join(parts) + "\n" + _TAIL


def _field(field: msgspec.structs.FieldInfo, values: Mapping[str, str]) -> str:
    name = field.encode_name
    description, example = _meta(field)
    line = f"{name} = {_toml(values.get(name, example))}"
    return f"# {description}\n{'' if name in values else '#'}{line}\n"


def _example(name: str) -> Any:
    (field,) = (one for one in msgspec.structs.fields(ModelFields) if one.name == name)
    return _meta(field)[1]


def _meta(field: msgspec.structs.FieldInfo) -> tuple[str, Any]:
    """Return what the field is for, and an example of its value."""
    (meta,) = (one for one in field.type.__metadata__ if isinstance(one, msgspec.Meta))
    assert meta.examples, f"{field.name} has an example"
    return str(meta.description), meta.examples[0]


def _toml(value: Any) -> str:
    """Return a value in TOML, which takes JSON for texts, numbers and switches."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
