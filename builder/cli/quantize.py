"""`quantize`: a model in, a smaller one out; as llama-quantize does."""

from pathlib import Path

import click

from builder import console
from builder.cli.command import Command
from builder.cli.quantize_flags import quantize_flags
from builder.quantize.flags import QuantizeFlags
from builder.quantize.table import QUANTIZATIONS


@click.command(
    cls=Command,
    examples=[
        "quantize model-F16.gguf model-Q4_K_M.gguf Q4_K_M",
        "quantize hf:OWNER/REPO:F16 model.gguf Q4_K_M --tensor-type attn_v=Q6_K",
        "quantize --list",
    ],
)
@click.argument("source", required=False, metavar="INPUT")
@click.argument("output", required=False, type=click.Path(path_type=Path))
@click.argument("quantization", required=False, metavar="TYPE")
@quantize_flags
@click.option("--list", "is_listing", is_flag=True, help="list the types and end")
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON")
def quantize(
    source: str | None,
    output: Path | None,
    quantization: str | None,
    flags: QuantizeFlags,
    is_listing: bool,
    as_json: bool,
) -> None:
    """Quantize INPUT to TYPE and write it to OUTPUT.

    INPUT is a source as `build` takes it: a GGUF file, a hub repository or a wheel.
    """
    if is_listing:
        if as_json:
            console.result_json(list(QUANTIZATIONS.values()))
        else:
            console.result(_list())
        return
    if source is None or output is None or quantization is None:
        raise click.UsageError("Name INPUT, OUTPUT and TYPE, or --list.")
    from builder.quality.perplexity import change_of
    from builder.quantize.quantize import quantize as run
    from builder.sources.parse import parse_source
    from builder.weights import require_files

    options = flags.options(quantization)
    fetched = parse_source(source).fetch()
    require_files(fetched)
    parts = [file.path for file in fetched.files]
    plan = run(parts, output, options)
    change = change_of(parts, output, options)
    size = output.stat().st_size
    if as_json:
        facts = {
            "path": str(output), "type": options.quantization.name, "size": size,
            "bits_per_weight": round(plan.bits_per_weight, 4), "types": plan.types,
            "perplexity": change,
        }  # fmt: skip
        console.result_json(facts)
    else:
        console.result(
            f"{output}: {options.quantization.name}, {console.human_bytes(size)}, "
            f"{plan.bits_per_weight:.2f} bits per weight"
        )
        if change:
            console.result(f"perplexity {change}")


def _list() -> str:
    lines = [f"{'TYPE':11}{'BITS':>6}  GOOD FOR"]
    for one in QUANTIZATIONS.values():
        needs = " (needs an importance matrix)" if one.needs_imatrix else ""
        lines.append(f"{one.name:11}{one.bits_per_weight:6.2f}  {one.good_for}{needs}")
    return "\n".join([*lines, "", "Bits per weight are those of a model like Llama 3.1 8B."])
