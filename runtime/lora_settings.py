"""The adapters that the settings name, as llama.cpp spells them."""

import csv
from pathlib import Path

from runtime.engine.adapters import AdapterFile
from runtime.errors import UsageError
from runtime.settings.values import Settings


def named_adapters(settings: Settings) -> list[AdapterFile]:
    """Return the adapters of `lora` and then of `lora-scaled`.

    Raises:
        UsageError: A file is not there, or a scale is no number.
    """
    files = [_file(name, 1.0) for name in _items(settings.lora)]
    for item in _items(settings.lora_scaled):
        name, _, scale = item.rpartition(":")
        try:
            files.append(_file(name, float(scale)))
        except ValueError as error:
            raise UsageError(
                f"lora-scaled is {item!r}, which names no scale.",
                hint="Write it as in --lora-scaled adapter.gguf:0.5.",
            ) from error
    return files


def _items(text: str) -> list[str]:
    """Return what stands between commas; quotes keep a comma inside a name."""
    return [item for row in csv.reader([text]) for item in row if item]


def _file(name: str, scale: float) -> AdapterFile:
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"There is no adapter {name}.")
    return AdapterFile(path, name, scale=scale)
