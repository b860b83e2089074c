"""`convert`: a checkpoint of Hugging Face's in, a GGUF out; as llama.cpp's own scripts do."""

from pathlib import Path

import click

from builder import console
from builder.cli.command import Command
from builder.convert.options import OUTTYPES, ConvertOptions


@click.command(
    cls=Command,
    examples=[
        "convert ./SmolLM2-135M-Instruct model-F16.gguf --outtype f16",
        "convert hf:OWNER/REPO model.gguf",
        "convert ./adapter adapter.gguf --base ./SmolLM2-135M-Instruct",
        "convert ./gemma-3-4b-it mmproj.gguf --mmproj",
    ],
)
@click.argument("source", metavar="INPUT")
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--outtype", type=click.Choice(OUTTYPES), help="what the matrices become")
@click.option("--mmproj", "is_mmproj", is_flag=True, help="convert the projector, not the model")
@click.option(
    "--base",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="folder of the model that an adapter was trained on",
)
@click.option("--allow-pickle", "allows_pickle", is_flag=True, help="read weights that are pickles")
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON")
def convert(
    source: str,
    output: Path,
    outtype: str | None,
    is_mmproj: bool,
    base: Path | None,
    allows_pickle: bool,
    as_json: bool,
) -> None:
    """Convert INPUT to a GGUF and write it to OUTPUT.

    INPUT is a folder with a model or a LoRA adapter as Hugging Face's libraries save them, or a
    hub repository or a wheel with one. A model takes the 16-bit type nearest to its own, an adapter
    f32.
    """
    from builder.convert.convert import command
    from builder.convert.convert import convert as run
    from builder.gguf.facts import quantization_of
    from builder.gguf.header import read_header
    from builder.sources.parse import parse_checkpoint

    options = ConvertOptions(outtype or "", is_mmproj, base, allows_pickle)
    item = parse_checkpoint(source, options).convertible()
    run(item, output)
    header, size = read_header(output), output.stat().st_size
    architecture, kind = header.text("general.architecture"), quantization_of(header)
    if as_json:
        told = {
            "path": str(output), "name": item.name, "architecture": architecture, "type": kind,
            "size": size, "command": command(item, output.name),
        }  # fmt: skip
        console.result_json(told)
    else:
        console.result(f"{output}: {architecture}, {kind}, {console.human_bytes(size)}")
