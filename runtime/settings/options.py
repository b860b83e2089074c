"""The flags of all settings, in the groups that commands have."""

from collections.abc import Iterable

from runtime.settings.model_options import MODEL_OPTIONS
from runtime.settings.option import Option
from runtime.settings.sampling_options import SAMPLING_OPTIONS
from runtime.settings.server_options import SERVER_OPTIONS

GROUPS = {"model": MODEL_OPTIONS, "server": SERVER_OPTIONS, "sampling": SAMPLING_OPTIONS}
OPTIONS = tuple(option for options in GROUPS.values() for option in options)


def flags_of(options: Iterable[Option]) -> set[str]:
    """Return all ways to spell some options."""
    return {flag for option in options for flag in option.flags}
