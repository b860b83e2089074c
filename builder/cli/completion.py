"""`completion`: the script that makes a shell complete this program's command line."""

import click
from click.shell_completion import get_completion_class

from builder import console
from builder.cli.command import Command
from runtime.errors import UsageError

SHELLS = ("bash", "fish", "zsh")


@click.command(
    cls=Command,
    examples=["completion bash >> ~/.bashrc", "completion fish > ~/.config/fish/conf.d/s.fish"],
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes `solofile` in SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None, "click knows these shells"
    try:
        script = kind(ctx.find_root().command, {}, "solofile", "_SOLOFILE_COMPLETE").source()
    except RuntimeError as error:
        raise UsageError(f"{shell} cannot complete: {error}.") from error
    console.result(script)
