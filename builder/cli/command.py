"""How commands show their help, with examples one can paste."""

from collections.abc import Iterable
from typing import Any

import click


class Command(click.Command):
    """A command whose help ends with examples.

    Args:
        examples: Command lines without the program's name.
    """

    def __init__(self, *args: Any, examples: Iterable[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.examples = list(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples with the name this program was started by."""
        write_examples(ctx, formatter, self.examples)


def write_examples(
    ctx: click.Context, formatter: click.HelpFormatter, examples: Iterable[str]
) -> None:
    """Write examples, each on a line of its own, unwrapped."""
    name = ctx.find_root().info_name or "solofile"
    program = f"python3 {name}" if name.endswith(".py") else name
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{'':{formatter.current_indent}}{program} {example}\n")
