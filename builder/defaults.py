"""Settings that are built into a solofile, as given by `--set KEY=VALUE`."""

from collections.abc import Iterable
from typing import Any

import msgspec

from runtime.errors import UsageError
from runtime.manifest import SettingValue
from runtime.settings.values import Settings

# What only makes sense on the machine it is given on, and what everyone with the file could read.
NOT_BUILT_IN = {"model", "api_key"}


def parse_defaults(assignments: Iterable[str]) -> dict[str, SettingValue]:
    """Return the settings in `KEY=VALUE` texts, each with a value of its type.

    Raises:
        UsageError: A text is no assignment, or its key or value is no setting's.
    """
    types = _types()
    values: dict[str, SettingValue] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        name = key.strip().replace("-", "_")
        if not equals:
            raise UsageError(
                f"--set {assignment} sets nothing.", hint="Write it as in --set temp=0.2."
            )
        if name == "api_key":
            raise secret("--set api-key")
        if name not in types:
            known = ", ".join(sorted(known.replace("_", "-") for known in types))
            raise UsageError(f"{key} is no setting.", hint=f"The settings are {known}.")
        try:
            values[name] = typed_setting(name, text)
        except msgspec.ValidationError as error:
            raise UsageError(f"--set {assignment} does not fit: {error}.") from error
    return values


def secret(place: str) -> UsageError:
    """Return the error that says a key for requests was given where it would be built in.

    Args:
        place: Where it was given.
    """
    return UsageError(
        f"{place} is refused: everyone who has the solofile could read the key.",
        hint="Give it at the start, with --api-key-file or in SOLOFILE_API_KEY.",
    )


def typed_setting(name: str, value: object) -> SettingValue:
    """Return a value as the type that the setting `name` has.

    Raises:
        KeyError: No setting that can be built in is called so.
        msgspec.ValidationError: It does not fit.
    """
    setting: SettingValue = msgspec.convert(value, _types()[name], strict=False)
    return setting


def _types() -> dict[str, Any]:
    return {
        field.name: field.type
        for field in msgspec.structs.fields(Settings)
        if field.name not in NOT_BUILT_IN
    }
