"""The group of all commands; a command's module is imported when it is named."""

import importlib

import click

from builder.cli.command import write_examples
from builder.cli.offline_flag import offline_option
from runtime import __version__

COMMANDS = {
    "bench": "builder.cli.bench",
    "build": "builder.cli.build",
    "bundle": "builder.cli.bundle",
    "cache": "builder.cli.cache",
    "completion": "builder.cli.completion",
    "convert": "builder.cli.convert",
    "demo": "builder.cli.demo",
    "diff": "builder.cli.diff",
    "imatrix": "builder.cli.imatrix",
    "init": "builder.cli.init",
    "inspect": "builder.cli.inspect",
    "key": "builder.cli.key",
    "kit": "builder.cli.kit",
    "parity": "builder.cli.parity",
    "patch": "builder.cli.patch",
    "perplexity": "builder.cli.perplexity",
    "quantize": "builder.cli.quantize",
    "rebase": "builder.cli.rebase",
    "rebuild": "builder.cli.rebuild",
    "sbom": "builder.cli.sbom",
    "sign": "builder.cli.sign",
    "test": "builder.cli.test",
    "vendor": "builder.cli.vendor",
    "verify": "builder.cli.verify",
}
EXAMPLES = [
    "demo",
    "build hf:OWNER/REPO:Q4_K_M",
    "build model.gguf -o chat",
    "init model.gguf",
    "build solofile.toml",
    "--offline DIR build model.gguf",
    "build --help",
]


class LazyGroup(click.Group):
    """A group that knows its commands by name and loads only what is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called `cmd_name`: the object of that name in its module."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command), f"{cmd_name} is a command"
        return command

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(ctx, formatter, EXAMPLES)


@click.group(
    cls=LazyGroup,
    params=[offline_option(is_shown=True)],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="solofile", message="%(prog)s %(version)s")
def root() -> None:
    """Turn a language model into one executable file that serves it anywhere."""
