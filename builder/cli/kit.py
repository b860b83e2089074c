"""`kit`: the frozen runtimes that solofiles are made with."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder import console
from builder.cli.command import Command, write_examples
from builder.cli.gpu_flag import gpu_option

if TYPE_CHECKING:
    from builder.kit.kit import Kit, KitInfo

EXAMPLES = [
    "kit build", "kit build -o linux.kit", "kit import linux.kit", "kit wheel", "kit list",
]  # fmt: skip


class _KitGroup(click.Group):
    """The group, with examples under its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(ctx, formatter, EXAMPLES)


@click.group(cls=_KitGroup, invoke_without_command=True)
@click.pass_context
def kit(ctx: click.Context) -> None:
    """Build, list, and carry kits: the launcher and runtime of one system, ready to pack.

    `build` makes this machine's kit by itself. On x86-64 Linux, `kit build --target linux-aarch64`
    makes that one, too. For another system, build the kit there and carry its file here.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@kit.command(
    cls=Command,
    examples=[
        "kit build",
        "kit build --target linux-aarch64 -o .",
        "kit build --gpu vulkan -o .",
    ],
)
@click.option("--target", help="system it runs on  [default: this one]", metavar="OS-ARCH")
@click.option(
    "--toolchain",
    type=click.Choice(["zig", "system"]),
    default="zig",
    show_default=True,
    help="compiler for llama.cpp",
)
@gpu_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="file or folder to write it to"
)
def build(target: str | None, toolchain: str, gpu: tuple[str, ...], output: Path | None) -> None:
    """Build the kit, unless it is there already."""
    from builder.kit.building import build_kit
    from builder.kit.file import export_kit
    from builder.targets import find_target, host_target

    found = find_target(target) if target else host_target()
    built = build_kit(found, toolchain=toolchain, gpu=gpu)
    console.result(str(export_kit(built, output) if output else built.folder))


@kit.command(cls=Command, examples=["kit libraries", "kit libraries --target linux-aarch64"])
@click.option("--target", help="system they run on  [default: this one]", metavar="OS-ARCH")
@gpu_option
def libraries(target: str | None, gpu: tuple[str, ...]) -> None:
    """Compile llama.cpp's libraries for a system with zig, unless they are there already."""
    from builder.native.gpu_libraries import gpu_libraries
    from builder.native.llamacpp import native_libraries
    from builder.targets import find_target, host_target

    found = find_target(target) if target else host_target()
    console.result(str(native_libraries(found)))
    for library in gpu_libraries(found, gpu):
        console.result(str(library))


@kit.command(name="list", cls=Command, examples=["kit list", "kit list --json"])
@click.option("--json", "as_json", is_flag=True, help="print them as JSON")
def list_(as_json: bool = False) -> None:
    """List the kits on this machine."""
    from builder.kit.at_hand import list_kits

    kits = list_kits()
    if as_json:
        console.result_json([_facts(found) for found in kits])
        return
    for found in kits:
        info = found.info
        console.result(
            f"{info.target}  {info.solofile}  {info.digest}  {found.origin}  {_size(info)}"
            f"{''.join(f'  {name}' for name in info.gpu)}"
        )
    if not kits:
        console.info("There is no kit yet; `kit build` makes one.")


@kit.command(
    cls=Command, examples=["kit show", "kit show linux.kit", "kit show linux-x86_64 --json"]
)
@click.argument("what", required=False, metavar="[FILE|TARGET]")
@click.option("--json", "as_json", is_flag=True, help="print it as JSON")
def show(what: str | None, as_json: bool) -> None:
    """Show what a kit holds.

    It is that of a .kit FILE or a wheel, or the one used for TARGET, by default this machine's.
    """
    from builder.kit.file import read_kit_file
    from builder.targets import TARGETS
    from runtime.glibc import system_needed

    if what and what not in TARGETS:
        info = read_kit_file(Path(what))
        facts = _info_facts(info)
    else:
        found = _used_kit(what)
        info, facts = found.info, _facts(found)
    if as_json:
        console.result_json(facts)
        return
    if info.glibc:
        facts["glibc"] = system_needed(info.glibc).removeprefix("glibc ")
    for name, value in facts.items():
        console.result(f"{name.replace('_', ' '):18} {value}")


@kit.command(name="import", cls=Command, examples=["kit import solofile-0.1.0-linux-aarch64.kit"])
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> None:
    """Take a kit from FILE, a .kit file or a kit's wheel, after checking it."""
    from builder.kit.file import import_kit

    console.result(str(import_kit(file).folder))


@kit.command(cls=Command, examples=["kit wheel", "kit wheel windows.kit -o dist"])
@click.argument("what", required=False, metavar="[FILE|TARGET]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path(), show_default=True,
    help="existing folder to write it to",
)  # fmt: skip
def wheel(what: str | None, output: Path) -> None:
    """Write a kit as a wheel, which pip installs beside a builder on any system.

    It is that of a .kit FILE, or the one used for TARGET, which is this machine by default.
    """
    from builder.kit.at_hand import ensure_kit
    from builder.kit.file import unpacked_kit
    from builder.kit.wheel import write_wheel
    from builder.targets import TARGETS, find_target, host_target

    if what and what not in TARGETS:
        with unpacked_kit(Path(what)) as carried:
            console.result(str(write_wheel(carried, output)))
        return
    used = ensure_kit(find_target(what) if what else host_target())
    console.result(str(write_wheel(used, output)))


def _used_kit(name: str | None) -> "Kit":
    from builder.errors import ToolError
    from builder.kit.at_hand import find_kit
    from builder.targets import find_target, host_target

    target = find_target(name) if name else host_target()
    found = find_kit(target)
    if found is None:
        raise ToolError(
            f"There is no kit for {target.name} here.", hint="See `kit build` and `kit import`."
        )
    return found


def _facts(found: "Kit") -> dict[str, object]:
    facts = _info_facts(found.info)
    return facts | {"origin": found.origin, "folder": str(found.folder)}


def _info_facts(info: "KitInfo") -> dict[str, object]:
    import msgspec

    return {"digest": info.digest} | msgspec.structs.asdict(info)


def _size(info: "KitInfo") -> str:
    return console.human_bytes(info.launcher_size + info.runtime_size)
