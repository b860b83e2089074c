"""`inspect`: what a source holds, before anything is downloaded."""

import click

from builder import console
from builder.cli.command import Command


@click.command(
    cls=Command, examples=["inspect model.gguf", "inspect hf:OWNER/REPO --ctx-size 32768 --json"]
)
@click.argument("source")
@click.option(
    "-c", "--ctx-size", "n_ctx", type=click.IntRange(min=0), default=0, show_default=True,
    help="context to tell memory for; 0 takes 4096 or what was trained",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="print it as JSON")
def inspect(source: str, n_ctx: int, as_json: bool) -> None:
    """Show what SOURCE holds and what each of its models needs in memory.

    Of a hub repository only headers are fetched; a wheel is fetched whole.
    """
    from builder.inspect import inspect_source
    from builder.sources.parse import parse_source

    found = inspect_source(parse_source(source), n_ctx)
    if as_json:
        console.result_json(found)
    else:
        console.result(found.as_text())
