"""`imatrix`: an importance matrix of a model, as llama-imatrix makes it."""

from pathlib import Path

import click

from builder import console
from builder.cli.chunk_flags import chunk_flags
from builder.cli.command import Command


@click.command(
    cls=Command,
    examples=[
        "imatrix model-F16.gguf calibration.txt -o imatrix.gguf",
        "imatrix hf:OWNER/REPO:F16 calibration.txt -o imatrix.gguf --chunks 100",
    ],
)
@click.argument("source", metavar="MODEL")
@click.argument("text", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="file to write"
)
@chunk_flags
def imatrix(
    source: str, text: Path, output: Path, max_chunks: int | None, n_threads: int | None
) -> None:
    """Compute an importance matrix of MODEL from TEXT, for `--imatrix`.

    MODEL is a source as `build` takes it. `--calibrate TEXT` does both in one step.
    """
    from builder.quality.calibrate import calibrate
    from builder.quality.text_file import read_text
    from builder.sources.parse import parse_source

    read_text(text)
    fetched = parse_source(source).fetch()
    calibrate(
        [file.data for file in fetched.files],
        text,
        output,
        max_chunks=max_chunks or 0,
        n_threads=n_threads or 0,
    )
    console.result(str(output))
