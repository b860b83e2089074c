"""Checking what a recipe says against its fields, with a sentence for whoever wrote it."""

import difflib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from builder.defaults import secret
from builder.recipe.fields import (
    SETTING_FLAGS,
    BrandingTable,
    ModelFields,
    Recipe,
    SettingsTable,
    keys,
)
from runtime.errors import UsageError

_PLACES = (
    ("into [settings]", SettingsTable),
    ("into [branding]", BrandingTable),
    ("to the model itself, above the tables", Recipe),
)
_PLACE = re.compile(r" - at `\$\.?(?P<key>.*)`$")
_MODEL = re.compile(r"^model\[(?P<index>\d+)\]\.?")
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def check_recipe(recipe: dict[str, Any], place: str) -> None:
    """Check what a recipe file holds.

    Args:
        recipe: The file as tomllib read it.
        place: Its name.

    Raises:
        UsageError: A key is none, or a value is not of its type; it names the key.
    """
    for prefix, table, kind in _tables(recipe):
        for key in table:
            _check_key(key, kind, f"In {place}, {_spoken(prefix + key)}")
    _convert(recipe, Recipe, "", place)
    for prefix, table, kind in _tables(recipe):
        if kind is SettingsTable:
            _convert(_with_dashes(table), kind, prefix, place)


def _tables(recipe: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield each table of the recipe with what its keys are called by, and the struct it is."""
    models = recipe.get("model")
    numbered = enumerate(models if isinstance(models, list) else [])
    parts = [("", recipe, Recipe), *((f"model[{n}].", one, ModelFields) for n, one in numbered)]
    for prefix, table, kind in parts:
        if not isinstance(table, dict):
            continue
        yield prefix, table, kind
        for key, inner in (("settings", SettingsTable), ("branding", BrandingTable)):
            if isinstance(table.get(key), dict):
                yield f"{prefix}{key}.", table[key], inner


def _check_key(key: str, kind: type[msgspec.Struct], subject: str) -> None:
    known = keys(kind)
    name = key.replace("_", "-")
    if key in known or (kind is SettingsTable and name in known):
        return
    if kind is SettingsTable and name == "api-key":
        raise secret(subject)
    elsewhere = [place for place, table in _PLACES if name in keys(table) and table is not kind]
    names = {known_key: known_key for known_key in known}
    if kind is SettingsTable:
        names |= SETTING_FLAGS
    near = difflib.get_close_matches(name, names, 1)
    if elsewhere:
        hint = f"It belongs {elsewhere[0]}."
    elif near:
        hint = f"Did you mean {names[near[0]]}?"
    else:
        hint = f"Known are {', '.join(sorted(known))}."
    raise UsageError(f"{subject} is unknown.", hint=hint)


def _convert(table: dict[str, Any], kind: type[msgspec.Struct], prefix: str, place: str) -> None:
    try:
        msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        key = _PLACE.search(str(error))
        subject = _spoken(prefix + (key["key"] if key else ""))
        raise UsageError(f"In {place}, {subject} {problem(error)}.") from error


def problem(error: msgspec.ValidationError) -> str:
    """Return what is wrong with a value, as the end of a sentence about it."""
    message = _PLACE.sub("", str(error))
    if "matching regex" in message:
        return "must be a colour as #rrggbb"
    expected, _, found = (
        re.sub(r"`([^`]*)`", lambda match: _in_words(match[1]), message)
        .removeprefix("Expected ")
        .partition(", got ")
    )
    if found:
        return f"must be {expected}, not {found}"
    return f"does not fit: {message}"


def _in_words(kinds: str) -> str:
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds.split(" | "))


def _spoken(key: str) -> str:
    """Return a key as people say it: `branding.color of model 2`, or the model alone."""
    match = _MODEL.match(key)
    if not match:
        return key
    rest, number = key[match.end() :], f"model {int(match['index']) + 1}"
    return f"{rest} of {number}" if rest else number


def _with_dashes(table: dict[str, Any]) -> dict[str, Any]:
    return {key.replace("_", "-"): value for key, value in table.items()}
