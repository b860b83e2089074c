"""`bundle`: a folder to carry to machines without a network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from builder import console
from builder.cli.build import GROUPS, build
from builder.cli.command import Command
from runtime.errors import UsageError

# The bundle has flags of its own for these, or has no room for an app with weights of its own.
_NOT_HERE = {"output", "app", "app_id", "as_json", "source"}
# What signs the bundle and leaves finished solofiles as they are.
_SIGNING = {"sign", "sign_key"}
_OWN = ("folder", "media", "volume_size", "tar", "as_json")
_SHARED = [param for param in build.params if param.name not in _NOT_HERE]
_GROUPS = {name: flags for name, flags in GROUPS.items() if name != "macOS"}
_CHOOSE = "Name one source, or finished solofiles alone and without flags that change them."


@click.command(
    cls=Command,
    examples=[
        "bundle model.gguf -o stick",
        "bundle hf:OWNER/REPO:Q4_K_M -o stick --target all --sign",
        "bundle dist/chat -o stick --media fat32",
        "bundle dist/one dist/two -o stick --tar",
        "bundle solofile.toml -o stick",
    ],
    groups={"Building": [param.name or "" for param in _SHARED], **_GROUPS},
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "-o", "--output", "folder", required=True, metavar="DIR",
    type=click.Path(path_type=Path), help="folder to make",
)  # fmt: skip
@click.option(
    "--media", type=click.Choice(["fat32"]), help="cut what such a disk does not take in one file"
)
@click.option("--volume-size", metavar="SIZE", help="cut what is larger, as 700MB")
@click.option("--tar", is_flag=True, help="make DIR.tar of it as well")
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
@click.pass_context
def bundle(ctx: click.Context, /, sources: Sequence[str], **options: Any) -> None:
    """Make a folder to carry: solofiles, and all it takes to check, join and start them.

    SOURCE is what `build` takes, a recipe included. For several systems the weights are there
    once. Finished solofiles are carried as they are, one or several, unless a flag of building
    asks for something else than to sign.

    Make it on a disk of yours and copy the folder to the stick.
    """
    from builder.bundle.bundle import BundleOrder, make_bundle
    from builder.bundle.member import are_finished
    from builder.bundle.volumes import MEDIA, parse_volume_size
    from builder.recipe.flags import given_flags, read_jobs
    from builder.sign.own_key import open_key

    own = {name: options.pop(name) for name in _OWN}
    if bool(own["media"]) + bool(own["volume_size"]) + own["tar"] > 1:
        raise UsageError(
            "--media, --volume-size and --tar exclude each other.",
            hint="A tar is one file, and a medium has one largest size.",
        )
    given = given_flags(ctx, options)
    is_finished = are_finished(sources) and not given.keys() - _SIGNING
    if len(sources) > 1 and not is_finished:
        raise UsageError("Several sources cannot be made into one bundle.", hint=_CHOOSE)
    jobs = [] if is_finished else read_jobs(sources[0], build, given)
    signer = next((job.order.signer for job in jobs if job.order.signer), None)
    if is_finished and given.keys() & _SIGNING:
        signer = open_key(given.get("sign_key"))
    volumes = MEDIA[own["media"]] if own["media"] else None
    order = BundleOrder(
        folder=own["folder"],
        jobs=jobs,
        finished=list(map(Path, sources)) if is_finished else [],
        volumes=parse_volume_size(own["volume_size"]) if own["volume_size"] else volumes,
        has_tar=own["tar"],
        signer=signer,
    )
    report = make_bundle(order)
    if own["as_json"]:
        console.result_json(report)
    else:
        console.result(report.as_text())


bundle.params += _SHARED
