"""Making a solofile again from its manifest, by the same way as `build`, and comparing the two."""

import time
from pathlib import Path, PurePath

import msgspec

from builder import console
from builder.bake.prompt import DEFAULT_LIMIT_MIB, BakeOptions
from builder.cache.layout import scratch_path
from builder.files import scratch_folder
from builder.gguf.facts import read_facts
from builder.kit.at_hand import find_kit_with
from builder.kit.kit import Kit
from builder.make import Order, Prepared, finish
from builder.rebuild.carried import Carried, carry
from builder.rebuild.comparison import Difference, differences
from builder.rebuild.order import RebuildOrder
from builder.rebuild.origin import fetched_as_then, source_of
from builder.rebuild.quantizing import quantize_options
from builder.sidecar import sidecar_path
from builder.sources.solofile import Solofile
from builder.sources.source import Source
from builder.targets import find_target
from builder.terms import all_terms
from builder.weights import Weights, one_file, quantized_file
from runtime.container import SIGNATURE_NAME, Container
from runtime.errors import UnsupportedError, UsageError
from runtime.manifest import Manifest, read_manifest
from runtime.sidecar import SUFFIX

_MIB = 1 << 20
# What a step's command has at least: a program or two words, an input and an output.
_LEAST_WORDS = 4


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Args:
        path: The solofile.
        is_same: Whether the same bytes came out, but for a signature.
        differences: The parts that differ.
        taken: What was taken from the solofile as it is, since its origin is not known.
        source: What the model was made from.
        is_signed: Whether it carries a signature, which is not compared.
        output: Where the new file lies; empty where it was not kept.
        seconds: How long it took.
    """

    path: str
    is_same: bool
    differences: list[Difference]
    taken: list[str]
    source: str
    is_signed: bool
    output: str
    seconds: float

    def as_text(self) -> str:
        """Return it for people."""
        start = f"{self.path} is {'' if self.is_same else 'not '}what comes out of {self.source}"
        lines = [f"{start}: the same bytes." if self.is_same else f"{start}:"]
        lines += [f"  {one.part}: {one.why}." for one in self.differences]
        if self.taken:
            lines.append(f"Taken from it as they are, not made again: {', '.join(self.taken)}.")
        if self.is_signed:
            lines.append("Its signature was not compared: only the owner of its key can make it.")
        return "\n".join(lines)


def rebuild(order: RebuildOrder) -> Rebuilt:
    """Make a solofile again and compare it with the old one.

    Raises:
        AppError: Whatever kept it from being made, as one sentence.
    """
    started = time.monotonic()
    path = order.solofile
    if order.output and order.output.exists() and order.output.samefile(path):
        raise UsageError(f"{path} is the file itself.", hint="Name another one with -o.")
    with Container.open(path) as container:
        manifest = read_manifest(container)
        is_signed = SIGNATURE_NAME in container.entries
    _require_known_steps(manifest, order)
    source = source_of(manifest, order)
    prepared, carried = _prepared(source, manifest, order)
    with scratch_folder(order.output or scratch_path("rebuild")) as folder:
        report = finish(_order(source, manifest, carried, order, folder), prepared)
        made = Path(report.path)
        with console.progress("Comparing", report.size) as advance:
            found = differences(path, made, advance=advance)
        if order.output:
            if report.sidecar:
                Path(report.sidecar).replace(sidecar_path(order.output))
            made.replace(order.output)
    return Rebuilt(
        path=str(path),
        is_same=not found,
        differences=found,
        taken=carried.names,
        source=prepared.resolved.label,
        is_signed=is_signed,
        output=str(order.output or ""),
        seconds=round(time.monotonic() - started, 1),
    )


def _prepared(source: Source, manifest: Manifest, order: RebuildOrder) -> tuple[Prepared, Carried]:
    started = time.monotonic()
    resolved = source.resolve()
    console.info(f"Source: {resolved.label}")
    fetched = fetched_as_then(source.fetch(), source, manifest)
    carried = carry(fetched, Solofile(order.solofile), manifest)
    fetched = carried.fetched
    weights = _weights(manifest, carried, order)
    prepared = Prepared(
        resolved=resolved,
        name=manifest.name,
        fetched=fetched,
        facts=read_facts([weights.file.data], name=manifest.name, card=fetched.card),
        companions=carried.companions,
        weights=weights,
        terms=all_terms(fetched, carried.companions.terms),
        parity=manifest.parity,
        seconds=time.monotonic() - started,
    )
    return prepared, carried


def _weights(manifest: Manifest, carried: Carried, order: RebuildOrder) -> Weights:
    steps = manifest.origin.steps
    if steps and steps[-1].kind == "quantize":
        return quantized_file(carried.fetched, quantize_options(steps[-1], order))
    return one_file(carried.fetched)


def _require_known_steps(manifest: Manifest, order: RebuildOrder) -> None:
    steps = manifest.origin.steps
    kinds = [step.kind for step in steps]
    is_known = kinds[kinds[:1] == ["convert"] :] in ([], ["merge"], ["quantize"])
    if not is_known or any(len(step.command) < _LEAST_WORDS for step in steps):
        raise UnsupportedError(
            f"{order.solofile} was made in steps that this version does not do: "
            f"{', '.join(kinds)}.",
            hint="Use the version of solofile that made it.",
        )


def _order(
    source: Source, manifest: Manifest, carried: Carried, order: RebuildOrder, folder: Path
) -> Order:
    target = find_target(manifest.kit.target)
    # The manifest has the name of the file beside it.
    name = PurePath(manifest.sidecar.name).name if manifest.sidecar else "rebuilt"
    return Order(
        source=source,
        target=target,
        output=folder / f"{name.removesuffix(SUFFIX)}{target.executable_suffix}",
        name=manifest.name,
        defaults=manifest.defaults,
        toolchain=order.toolchain,
        gpu=manifest.kit.gpu,
        kit=_kit_of(manifest),
        is_smoke_tested=False,
        branding=manifest.branding,
        icon=carried.icon,
        bake=_bake_options(manifest),
        has_sidecar=manifest.sidecar is not None,
    )


def _kit_of(manifest: Manifest) -> Kit | None:
    """Return the kit that the solofile was made with, if it is at hand."""
    target = find_target(manifest.kit.target)
    sha256s = (facts.sha256 for facts in manifest.entries if facts.role == "runtime")
    return next((kit for sha256 in sha256s if (kit := find_kit_with(target, sha256))), None)


def _bake_options(manifest: Manifest) -> BakeOptions | None:
    if manifest.baked is None:
        return None
    size = sum(facts.size for facts in manifest.prompts)
    limit_mib = max(DEFAULT_LIMIT_MIB, -(-size // _MIB))
    return BakeOptions(manifest.baked.prompts, manifest.baked.has_system, limit_mib)
