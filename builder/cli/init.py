"""`init`: a recipe to begin with."""

import os
import sys
from pathlib import Path

import click

from builder import console
from builder.cli.command import Command, program
from runtime.errors import UsageError

FILE_NAME = "solofile.toml"


@click.command(
    cls=Command,
    examples=["init", "init model.gguf", "init hf:OWNER/REPO:Q4_K_M -o chat.toml"],
)
@click.argument("source", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=FILE_NAME, show_default=True,
    help="recipe to write",
)  # fmt: skip
@click.option("--force", is_flag=True, help="replace one that is there")
@click.option("--schema", is_flag=True, help="print the JSON Schema of recipes and end")
@click.pass_context
def init(
    ctx: click.Context, /, source: str | None, output: Path, force: bool, schema: bool
) -> None:
    """Write a recipe for SOURCE, with a word on every field.

    Its JSON Schema is written beside it, for editors that complete and check as one types. On a
    terminal it asks what it was not told; elsewhere it takes a small model.
    """
    from builder.files import atomic_file
    from builder.recipe.file import SUFFIX, is_recipe
    from builder.recipe.schema import SHIPPED
    from builder.recipe.starter import starter

    shipped = SHIPPED.read_bytes()
    if schema:
        console.result(shipped.decode().rstrip())
        return
    if not is_recipe(output.name):
        raise UsageError(f"{output} is no name for a recipe.", hint=f"Let it end in {SUFFIX}.")
    if output.exists() and not force:
        raise UsageError(f"{output} is there already.", hint="Name another file, or add --force.")
    values = _values(source, output.parent)
    for path, data in (
        (output.with_name(SHIPPED.name), shipped),
        (output, starter(values).encode()),
    ):
        with atomic_file(path) as file:
            file.write(data)
    console.result(f"{output} is written. Build it with: {program(ctx)} build {output}")


def _values(source: str | None, folder: Path) -> dict[str, str]:
    """Return what the recipe says, asking for it where somebody can answer."""
    from builder.demo import HUB_FILE, HUB_REPOSITORY, SYSTEM_PROMPT
    from builder.sources.parse import located, parse_source

    demo = f"hf:{HUB_REPOSITORY}:{HUB_FILE}"
    can_ask = sys.stdin.isatty()
    if source is None:
        source = click.prompt("Model", default=demo, err=True) if can_ask else demo
    text = located(source, Path())
    parse_source(text)
    prompt = SYSTEM_PROMPT if source == demo else ""
    if can_ask:
        prompt = click.prompt(
            "System prompt (nothing for the model's own)", default=prompt, err=True
        )
    if Path(text).exists() and not Path(text).is_absolute():
        text = Path(os.path.relpath(text, folder)).as_posix()
    return {"source": text} | ({"system": prompt} if prompt else {})
