"""The options of a command line, made for argparse."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runtime.settings.values import Settings

if TYPE_CHECKING:
    from runtime.settings.option import Option


def add_options(
    parser: argparse.ArgumentParser, groups: tuple[str, ...], arguments: Sequence[str]
) -> None:
    """Give a command the options of some groups; absent flags leave no trace.

    Making all of them takes longer than parsing, so where `arguments` names nothing but these
    options, those it does not name are left out.
    """
    named = named_flags(arguments)
    if not named:
        return
    # Many starts name none, and would wait for the import.
    from runtime.settings.options import GROUPS, flags_of

    needs_all = not named <= flags_of(option for group in groups for option in GROUPS[group])
    for group in groups:
        section = parser.add_argument_group(f"{group} options")
        for option in GROUPS[group]:
            if needs_all or not named.isdisjoint(option.flags):
                _add_option(section, option)


def named_flags(arguments: Sequence[str]) -> set[str]:
    """Return the flags that a command line names, without the values behind `=`."""
    return {argument.partition("=")[0] for argument in arguments if argument.startswith("-")}


class _Append(argparse.Action):
    """Adds to what the same flag gave before, behind a comma."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        before = getattr(namespace, self.dest, "")
        setattr(namespace, self.dest, f"{before},{values}" if before else values)


def _add_option(section: Any, option: "Option") -> None:
    if not option.metavar:
        off = [flag for flag in option.flags if flag.startswith("--no-") or flag == "-nr"]
        on = [flag for flag in option.flags if flag not in off]
        common = {"dest": option.name, "default": argparse.SUPPRESS}
        section.add_argument(*on, action="store_true", help=option.help, **common)
        if off:
            section.add_argument(*off, action="store_false", help=f"do not {option.help}", **common)
        return
    kinds = {int: int, float: float, int | None: int, float | None: float}
    kind = kinds.get(Settings.__annotations__[option.name], str)
    default = getattr(Settings(), option.name)
    shown = "" if default in ("", None) or "(" in option.help else f" (default: {default})"
    section.add_argument(
        *option.flags,
        dest=option.name,
        type=kind,
        action=_Append if option.is_list else "store",
        metavar=option.metavar,
        default=argparse.SUPPRESS,
        help=option.help + shown,
    )
