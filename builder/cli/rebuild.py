"""`rebuild`: whether a solofile is what comes out of what its manifest tells."""

from pathlib import Path

import click

from builder import console
from builder.cli.command import Command
from runtime.errors import DamagedFileError

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    cls=Command,
    examples=[
        "rebuild --from chat",
        "rebuild --from chat --source model-F16.gguf --input imatrix.gguf",
        "rebuild --from chat -o again --json",
    ],
)
@click.option("--from", "solofile", type=_FILE, required=True, metavar="FILE", help="solofile")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="NEW",
    help="keep what was rebuilt here",
)  # fmt: skip
@click.option(
    "--source", default="", metavar="SOURCE",
    help="where its model lies now, as `build` takes it",
)  # fmt: skip
@click.option(
    "--input", "inputs", multiple=True, type=_FILE, metavar="FILE",
    help="file that went in, as an importance matrix",
)  # fmt: skip
@click.option("--allow-pickle", is_flag=True, help="read a checkpoint whose weights are pickles")
@click.option(
    "--toolchain", type=click.Choice(["zig", "system"]), default="zig", show_default=True,
    help="compiler for a kit that is not there yet",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="print what was found as JSON")
def rebuild(
    solofile: Path,
    output: Path | None,
    source: str,
    inputs: tuple[Path, ...],
    allow_pickle: bool,
    toolchain: str,
    as_json: bool,
) -> None:
    """Make a solofile again from what its manifest tells, and compare the two.

    Its model is fetched from where it came from, or from --source; what was done to it is done
    again, and it is packed with the kit that it was made with, or else the one that is used now.
    The exit code is 3 if a part differs.
    """
    from builder.rebuild.order import RebuildOrder
    from builder.rebuild.rebuild import rebuild as run

    done = run(RebuildOrder(solofile, output, source, inputs, allow_pickle, toolchain))
    if as_json:
        console.result_json(done)
    else:
        console.result(done.as_text())
    if not done.is_same:
        raise click.exceptions.Exit(DamagedFileError.exit_code)
