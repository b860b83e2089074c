"""How commands show their help, with examples one can paste."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from builder.cli.offline_flag import offline_option


class Command(click.Command):
    """A command whose help ends with examples.

    Args:
        examples: Command lines without the program's name.
        groups: Headings in its help, and the parameters whose flags stand below each; all others
            come first.
    """

    def __init__(
        self,
        *args: Any,
        examples: Iterable[str] = (),
        groups: Mapping[str, Collection[str]] = {},
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.examples = list(examples)
        self.groups = groups

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, once no file that it was given is half changed any more."""
        _recover(ctx.params.values())
        return super().invoke(ctx)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, with those that every command has."""
        return [*super().get_params(ctx), offline_option(is_shown=False)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags, each below its heading."""
        headings = {name: heading for heading, names in self.groups.items() for name in names}
        records: dict[str, list[tuple[str, str]]] = {"Options": []}
        records |= {heading: [] for heading in self.groups}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record and not isinstance(param, click.Argument):
                records[headings.get(param.name or "", "Options")].append(record)
        for heading, lines in records.items():
            with formatter.section(heading):
                formatter.write_dl(lines)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples with the name this program was started by."""
        write_examples(ctx, formatter, self.examples)


def _recover(values: Iterable[Any]) -> None:
    from builder.change.in_place import recover

    for value in values:
        if isinstance(value, tuple):
            _recover(value)
        elif isinstance(value, str | Path):
            recover(Path(value))


def write_examples(
    ctx: click.Context, formatter: click.HelpFormatter, examples: Iterable[str]
) -> None:
    """Write examples, each on a line of its own, unwrapped."""
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{'':{formatter.current_indent}}{program(ctx)} {example}\n")


def program(ctx: click.Context) -> str:
    """Return what a shell starts this program with."""
    name = ctx.find_root().info_name or "solofile"
    return f"python3 {name}" if name.endswith(".py") else name
