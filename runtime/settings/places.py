"""Where the values of settings come from, and which place wins."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from runtime.errors import UsageError
from runtime.settings.values import Settings


def load_settings(
    flags: Mapping[str, Any], *, manifest_defaults: Mapping[str, Any], solofile: Path | None
) -> Settings:
    """Return the settings after every place that sets some was read.

    Args:
        flags: What the command line gave, by field name; other keys are left alone.
        manifest_defaults: What the solofile was built with.
        solofile: The running file, whose `NAME.toml` may lie beside it.

    Raises:
        UsageError: A place sets an unknown setting, or one to a value of the wrong type.
    """
    known = frozenset(Settings.__struct_fields__)
    values: dict[str, Any] = {}
    values |= _checked(dict(manifest_defaults), "the manifest")
    if solofile:
        values |= _read_toml(settings_file(solofile))
    for name in Settings.__struct_fields__:
        variable = f"SOLOFILE_{name.upper()}"
        if variable in os.environ:
            values |= _checked({name: os.environ[variable]}, variable)
    values |= {name: value for name, value in flags.items() if name in known}
    return msgspec.convert(values, Settings, strict=False)


def settings_file(solofile: Path) -> Path:
    """Return where settings for a solofile may lie: `NAME.toml` beside it."""
    return solofile.with_name(solofile.name.removesuffix(".exe") + ".toml")


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    # Few solofiles have one, and every start would wait for the import.
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    return _checked({name.replace("-", "_"): value for name, value in values.items()}, str(path))


def _checked(values: dict[str, Any], place: str) -> dict[str, Any]:
    """Return the values with their types checked, naming the place that sets a wrong one."""
    for name, value in values.items():
        if name not in Settings.__struct_fields__:
            known = ", ".join(sorted(each.replace("_", "-") for each in Settings.__struct_fields__))
            raise UsageError(
                f"{place} sets {name.replace('_', '-')}, which is no setting.",
                hint=f"The settings are {known}.",
            )
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError as error:
            shown = "a value" if name == "api_key" else repr(value)
            why = str(error).partition(" - at ")[0]
            raise UsageError(f"{place} sets {name} to {shown}: {why}.") from error
    return values
