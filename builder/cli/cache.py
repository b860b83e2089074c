"""`cache`: what the builder keeps between runs, how much it is, and removing it."""

import re
import time
from typing import TYPE_CHECKING

import click

from builder import console
from builder.cli.command import Command, write_examples
from runtime.errors import UsageError

if TYPE_CHECKING:
    from builder.cache.cleaning import Cleaned

EXAMPLES = ["cache list", "cache size", "cache clean", "cache clean quantized --dry-run"]
_AGE = re.compile(r"(\d+)([dhm])")
_UNIT_S = {"d": 86400, "h": 3600, "m": 60}


class _CacheGroup(click.Group):
    """The group, with examples under its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(ctx, formatter, EXAMPLES)


@click.group(cls=_CacheGroup, invoke_without_command=True)
@click.pass_context
def cache(ctx: click.Context) -> None:
    """List, measure and clean what builds keep: kits, tools, converted and quantized models.

    Models of hub repositories lie in the hub's own cache; `hf cache` manages that.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@cache.command(name="list", cls=Command, examples=["cache list", "cache list --json"])
@click.option("--json", "as_json", is_flag=True, help="print it as JSON")
def list_(as_json: bool) -> None:
    """List every item with what it is, its size and when it was last used."""
    from builder.cache.inventory import items

    found = items()
    if as_json:
        console.result_json(found)
        return
    console.result(f"{'KIND':14}{'SIZE':>10}  {'LAST USED':11} WHAT")
    for one in found:
        day = time.strftime("%Y-%m-%d", time.localtime(one.last_used))
        used = "now" if one.is_in_use else day
        console.result(f"{one.kind:14}{console.human_bytes(one.size):>10}  {used:11} {one.what}")


@cache.command(cls=Command, examples=["cache size", "cache size --json"])
@click.option("--json", "as_json", is_flag=True, help="print it as JSON")
def size(as_json: bool) -> None:
    """Show how much each kind of items takes, and where the cache lies."""
    from builder.cache.inventory import items
    from builder.cache.layout import KINDS
    from runtime.user_folders import user_cache_dir

    sums = dict.fromkeys(KINDS, 0)
    for one in items():
        sums[one.kind] += one.size
    if as_json:
        total = sum(sums.values())
        console.result_json({"path": str(user_cache_dir()), "total": total, "kinds": sums})
        return
    for name, number in sums.items():
        if number:
            console.result(f"{name:14}{console.human_bytes(number):>10}  {KINDS[name].what}")
    total_text = console.human_bytes(sum(sums.values()))
    console.result(f"{'together':14}{total_text:>10}  {user_cache_dir()}")


@cache.command(
    cls=Command,
    examples=["cache clean", "cache clean quantized merged", "cache clean --older-than 7d"],
)
@click.argument("kinds", nargs=-1, metavar="[KIND]...")
@click.option("--older-than", metavar="AGE", help="only what was not used for so long, as 30d, 12h")
@click.option("--all", "is_all", is_flag=True, help="everything, imported kits as well")
@click.option("-n", "--dry-run", "is_dry_run", is_flag=True, help="only tell what would go")
@click.option("--json", "as_json", is_flag=True, help="print it as JSON")
def clean(
    kinds: tuple[str, ...], older_than: str | None, is_all: bool, is_dry_run: bool, as_json: bool
) -> None:
    """Remove what was not used for 30 days, or everything of some KINDs.

    The remains of interrupted runs go as well. Imported kits, which no build makes again, go only
    by their name or with --all. What a running build or solofile uses stays.
    """
    from builder.cache import cleaning
    from builder.cache.layout import KINDS

    age_s = _age_s(older_than) if older_than else None
    done = cleaning.clean(list(KINDS) if is_all else kinds, min_age_s=age_s, is_dry_run=is_dry_run)
    if as_json:
        console.result_json(done)
    else:
        console.result(_summary(done, is_dry_run=is_dry_run))


def _summary(done: "Cleaned", *, is_dry_run: bool) -> str:
    lines = [f"{'Would remove' if is_dry_run else 'Removed'} {path}" for path in done.removed]
    lines += [f"Kept {path}, it is in use" for path in done.in_use]
    freed = console.human_bytes(done.freed)
    return "\n".join([*lines, f"{'Would free' if is_dry_run else 'Freed'} {freed}."])


def _age_s(text: str) -> float:
    match = _AGE.fullmatch(text)
    if not match:
        raise UsageError(f"{text} is no age.", hint="Write it as in --older-than 30d or 12h.")
    return float(match[1]) * _UNIT_S[match[2]]
