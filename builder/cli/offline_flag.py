"""The flag `--offline`, which stands before a command or behind it."""

import os
from pathlib import Path

import click

from builder.vendor.folder import VARIABLE, read_folder


def offline_option(*, is_shown: bool) -> click.Option:
    """Return the option.

    Args:
        is_shown: Whether help tells of it.
    """
    return click.Option(
        ["--offline"],
        type=click.Path(path_type=Path),
        metavar="DIR",
        envvar=VARIABLE,
        show_envvar=True,
        expose_value=False,
        is_eager=True,
        hidden=not is_shown,
        callback=_go_offline,
        help="use no network, but what `vendor DIR` put there",
    )


def _go_offline(ctx: click.Context, option: click.Parameter, folder: Path | None) -> None:
    """Let this process and its children work from a vendored folder."""
    if folder is None or ctx.resilient_parsing:
        return
    os.environ[VARIABLE] = str(read_folder(folder.absolute()).path)
    # The hub's client library asks for this when it is imported.
    os.environ["HF_HUB_OFFLINE"] = "1"
