"""The JSON Schema of recipes, for editors; made from the fields and shipped as a file.

`python -m builder.recipe.schema` writes the file anew.
"""

from pathlib import Path
from typing import Any

import msgspec

from builder.recipe.fields import ModelFields, Recipe, SettingsTable

FILE_NAME = "solofile.schema.json"
SHIPPED = Path(__file__).with_name(FILE_NAME)


def schema_text() -> str:
    """Return the schema that belongs to the fields, as indented JSON."""
    kinds = (Recipe, SettingsTable)
    references, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    recipe, settings = (dict(reference) for reference in references)
    for name in (Recipe.__name__, ModelFields.__name__):
        properties: dict[str, Any] = components[name]["properties"]
        properties["settings"] = {**_words(properties["settings"]), **settings}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "solofile recipe",
        **recipe,
        "$defs": components,
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def _words(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: schema[key] for key in ("description", "examples")}


if __name__ == "__main__":
    SHIPPED.write_text(schema_text(), encoding="utf-8")
