"""`rebase`: another runtime, prompt, page or adapter for a solofile, and the same weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from builder import console
from builder.cli.build import GROUPS, build
from builder.cli.command import Command

# The flags that mean the same as those of `build`.
_SHARED = (
    "name", "system", "bake_limit", "settings", "lora", *GROUPS["Chat page"], "accept_license",
    "sign", "sign_key", "smoke_test", "toolchain", "gpu", "as_json",
)  # fmt: skip


@click.command(
    cls=Command,
    examples=[
        "rebase chat --system @handbook.md",
        "rebase chat --set temp=0.2 --unset top-k",
        "rebase chat --kit",
        "rebase chat --target windows-x86_64 -o chat.exe",
        "rebase chat --lora adapter.gguf --title Pirate -o pirate",
    ],
    groups={"Chat page": GROUPS["Chat page"]},
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="PATH",
    help="new file to write, instead of changing FILE",
)  # fmt: skip
@click.option("--kit", "has_new_kit", is_flag=True, help="put in the runtime that is at hand")
@click.option(
    "--target", metavar="OS-ARCH", help="system to run on instead, by the runtime that is at hand"
)
@click.option(
    "--bake/--no-bake", default=None,
    help="compute the system prompt now, or no prompt; as it was by default",
)  # fmt: skip
@click.option("--unset", "dropped", multiple=True, metavar="KEY", help="setting to give up")
@click.option("--no-lora", is_flag=True, help="leave out the LoRA adapters that are inside")
@click.option(
    "--license", "licences", multiple=True, metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="licence text to put in, in the place of one of that name",
)  # fmt: skip
@click.pass_context
def rebase(ctx: click.Context, /, file: Path, as_json: bool, **options: Any) -> None:
    """Give FILE, a solofile, something else than its weights: what is not named stays.

    The weights are not written again: FILE is changed where it lies, or becomes a new file that
    shares their blocks where the file system can. Killed at any moment, it is the old file or the
    new one. What it becomes is what `build` would have made. A signature is given up unless --sign
    makes another.
    """
    from builder.rebase.order import RebaseOrder
    from builder.rebase.rebase import rebase as rebase_file
    from builder.recipe.flags import given_flags

    given = given_flags(ctx, options)
    shared = {name: value for name, value in given.items() if name in _SHARED}
    report = rebase_file(RebaseOrder(file, **_own(options), **_as_build_takes_it(shared)))
    if as_json:
        console.result_json(report)
    else:
        console.result(report.as_text())


def _own(options: dict[str, Any]) -> dict[str, Any]:
    """Return what the flags that `build` has not say, by the order's fields."""
    from builder.sources.source import LicenceFile
    from builder.targets import find_target

    target = find_target(options["target"]) if options["target"] else None
    return {
        "output": options["output"],
        "has_new_kit": options["has_new_kit"] or target is not None or bool(options["gpu"]),
        "target": target,
        "gpu": list(options["gpu"]) or None,
        "bakes": options["bake"],
        "dropped": frozenset(_setting_names(options["dropped"])),
        "keeps_adapters": not options["no_lora"],
        "licences": [LicenceFile(path.name, path.read_bytes()) for path in options["licences"]],
    }


def _setting_names(words: Sequence[str]) -> list[str]:
    return [word.replace("-", "_") for word in words]


def _as_build_takes_it(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the flags that `build` has, too, say, by the order's fields."""
    import msgspec

    from builder.icon import read_icon
    from builder.recipe.fields import ModelFields
    from builder.recipe.flags import flags_layer
    from builder.sign.own_key import open_key
    from builder.sources.parse import parse_source

    layer = flags_layer(build, given)
    fields = msgspec.convert(layer, ModelFields)
    branding = dict(layer.get("branding", {}))
    icon = branding.pop("icon", "")
    is_signed = fields.sign or bool(fields.sign_key)
    return {
        "name": fields.name,
        "defaults": fields.settings,
        "branding": branding,
        "icon": read_icon(Path(icon)) if icon else None,
        "adapters": [parse_source(text) for text in fields.lora],
        "accepts_licence": fields.accept_license,
        "bake_limit_mib": fields.bake_limit,
        "toolchain": fields.toolchain,
        "is_smoke_tested": fields.smoke_test,
        "signer": open_key(Path(fields.sign_key) if fields.sign_key else None)
        if is_signed
        else None,
    }


rebase.params += [one for one in build.params if one.name in _SHARED]
