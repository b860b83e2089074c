"""What a recipe, one of its tables or the command line says, to be laid over one another.

A layer is a model's fields by the names that recipes have for them. In it paths are such as the
builder can open, settings go by the names of `Settings`, and the system prompt is one of those.
"""

from pathlib import Path
from typing import Any

from builder.errors import SourceError
from builder.sources.parse import located
from runtime.errors import UsageError

Layer = dict[str, Any]

SYSTEM_PROMPT = "system_prompt"
_SOURCES = ("source", "draft", "mmproj")
_TABLES = ("settings", "branding")


def make_layer(fields: Layer, folder: Path) -> Layer:
    """Return fields as a layer.

    Args:
        fields: They, checked; no `model` among them.
        folder: Where relative paths in them begin.

    Raises:
        SourceError: What should be a source is none.
        UsageError: The file with the system prompt cannot be read, or there are two of them.
    """
    layer = dict(fields)
    for key in _SOURCES:
        if layer.get(key):
            layer[key] = _source(key, layer[key], folder)
    if "lora" in layer:
        layer["lora"] = [_source("lora", text, folder) for text in layer["lora"]]
    branding = layer.get("branding", {})
    for table, key in (
        (layer, "imatrix"), (layer, "calibrate"), (layer, "output"), (layer, "sign-key"),
        (branding, "icon"),
    ):  # fmt: skip
        if table.get(key):
            table[key] = _path(table[key], folder)
    settings = {name.replace("-", "_"): value for name, value in layer.get("settings", {}).items()}
    if "prompts" in layer:
        layer["prompts"] = [
            table | {"system": _text(table.get("system", ""), folder)} for table in layer["prompts"]
        ]
    if "system" in layer:
        if SYSTEM_PROMPT in settings:
            raise UsageError(
                "system: The settings have a system prompt, too.",
                hint="Leave one of them out.",
            )
        settings[SYSTEM_PROMPT] = _text(layer.pop("system"), folder)
    return layer | ({"settings": settings} if settings else {})


def merged(lower: Layer, upper: Layer) -> Layer:
    """Return two layers as one: the upper one's fields win, and settings and branding mingle."""
    tables = {
        key: lower.get(key, {}) | upper.get(key, {})
        for key in _TABLES
        if key in lower or key in upper
    }
    return lower | upper | tables


def _source(key: str, text: str, folder: Path) -> str:
    try:
        return located(text, folder)
    except SourceError as error:
        error.message = f"{key}: {error.message}"
        raise


def _path(text: str, folder: Path) -> str:
    path = str(folder / Path(text).expanduser())
    return f"{path}/" if text.endswith("/") else path


def _text(text: str, folder: Path) -> str:
    """Return a text, or what the file behind its `@` holds, without a line break at the end."""
    if not text.startswith("@"):
        return text
    path = folder / Path(text[1:]).expanduser()
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise UsageError(f"system: The file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"system: The file {path} is no text in UTF-8.") from error
