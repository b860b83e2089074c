"""From a source to a finished solofile: resolve, fetch, check, quantize, pack, smoke-test."""

import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from builder import console
from builder.bake.baked import BakedPrompt
from builder.bake.baking import bake
from builder.bake.prompt import BakeOptions
from builder.branding import merged_branding
from builder.change.in_place import recover
from builder.companions.companions import Companions, fetch_companions
from builder.contents import Contents
from builder.digests import digests_of
from builder.files import atomic_path
from builder.fits import fitting
from builder.gguf.facts import model_name, read_facts
from builder.icon import IconFile
from builder.kit.at_hand import ensure_kit
from builder.kit.kit import Kit
from builder.output_path import output_path, require_folder, require_free
from builder.pack import is_too_large, require_room, write_solofile
from builder.quality.parity import checked_parity
from builder.quantize.options import QuantizeOptions
from builder.report import Report
from builder.sidecar import SharedWeights, sidecar_part, sidecar_path
from builder.sign.secret_key import SecretKey
from builder.sign.sign import write_detached
from builder.smoke import EMBED, RUN, SmokeTest, tested
from builder.sources.source import FetchedModel, ResolvedSource, Source
from builder.targets import Target
from builder.terms import all_terms, find_terms, require_accepted, sentences
from builder.weights import Weights, one_file, quantized_file
from runtime.branding import Branding
from runtime.manifest import Manifest, ModelFacts, SettingValue, Terms
from runtime.parity import Parity


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made.

    Args:
        source: Where the model comes from.
        target: What the solofile runs on.
        output: Its path, or an existing folder for it; None for the default.
        is_output_folder: Whether `output` is a folder although it is not there yet.
        name: What the model is called; empty takes it from the file's name.
        defaults: Settings to build in.
        toolchain: What compiles a kit that is not there yet: `zig` or `system`.
        gpu: The GPU plugins that its kit is to have.
        kit: The kit; None takes the one for the target that is used now.
        is_smoke_tested: Whether the finished file must answer a question.
        weights_sha256: The digest the weights must have, in hex; empty takes them as they are.
        adapters: Where LoRA adapters to embed come from.
        draft: Where a draft model to embed comes from; None embeds none.
        projector: Where a projector to embed comes from; None takes the model's own.
        has_projector: Whether the model's own is embedded, if it has one.
        fits_bytes: The memory that the best model of the source is to fit into; 0 takes the one
            that the source means by itself.
        checks_parity: Whether what was converted must say what its original says.
        quantize: How to quantize the weights first; None takes them as they are.
        branding: How it presents itself; what is left empty is taken from the source.
        icon: Its icon; None takes the source's, if it has one.
        tells_target: Whether its file's name ends in the target's.
        accepts_licence: Whether to go on although a licence forbids passing it on.
        bake: Which prompts to compute and carry; None computes none.
        has_app: Whether a solofile for macOS gets an app beside it.
        app_id: What macOS knows that by; empty makes one.
        has_sidecar: Whether the weights lie in a file beside it, although they need not.
        signer: The key that signs it, inside and in a file beside it; None leaves it unsigned.
    """

    source: Source
    target: Target
    output: Path | None = None
    is_output_folder: bool = False
    name: str = ""
    defaults: dict[str, SettingValue] = field(default_factory=dict)
    toolchain: str = "zig"
    gpu: list[str] = field(default_factory=list)
    kit: Kit | None = None
    is_smoke_tested: bool = True
    weights_sha256: str = ""
    adapters: list[Source] = field(default_factory=list)
    draft: Source | None = None
    projector: Source | None = None
    has_projector: bool = True
    fits_bytes: int = 0
    checks_parity: bool = False
    quantize: QuantizeOptions | None = None
    branding: Branding = field(default_factory=Branding)
    icon: IconFile | None = None
    tells_target: bool = False
    accepts_licence: bool = False
    bake: BakeOptions | None = None
    has_app: bool = False
    app_id: str = ""
    has_sidecar: bool = False
    signer: SecretKey | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model that is ready to be packed for any system.

    Args:
        resolved: What it was made from, exactly.
        name: What it is called.
        fetched: What came from its source.
        facts: What its header says.
        companions: What goes beside it.
        weights: The one file that is packed.
        terms: What its licences ask of those who pass it on.
        parity: How alike the converted model and its original are; None where nobody asked.
        seconds: How long all of that took.
    """

    resolved: ResolvedSource
    name: str
    fetched: FetchedModel
    facts: ModelFacts
    companions: Companions
    weights: Weights
    terms: list[Terms]
    parity: Parity | None
    seconds: float

    @property
    def notes(self) -> list[str]:
        """Sentences about the source, and what of it was not taken over."""
        return self.resolved.notes + self.fetched.notes + self.companions.notes

    @property
    def default_stem(self) -> str:
        """What its files are called where nobody says otherwise."""
        return f"{self.name}-{self.facts.quantization}"


def make_solofile(order: Order) -> Report:
    """Make a solofile; the old file of its name stands until the new one has passed its test.

    Raises:
        AppError: Whatever failed, as one sentence.
    """
    return finish(order, prepare(order))


def prepare(order: Order) -> Prepared:
    """Fetch a model and what goes beside it, check all of it, and quantize it if asked for.

    Args:
        order: What is to be made; its target does not matter.

    Raises:
        AppError: Whatever failed, as one sentence.
    """
    started = time.monotonic()
    require_folder(order.output, is_folder=order.is_output_folder)
    source, quantize = order.source, order.quantize
    if order.fits_bytes:
        fit = fitting(source, order.fits_bytes)
        console.info(fit.why)
        source = fit.source
        quantize = QuantizeOptions(quantization=fit.quantization) if fit.quantization else None
    resolved = source.resolve()
    console.info(f"Source: {resolved.label}")
    for note in resolved.notes:
        console.info(note)
    told = find_terms([resolved.card], [])
    require_accepted(told, is_accepted=order.accepts_licence)
    fetched = source.fetch()
    name = order.name or fetched.name or model_name(fetched.files[0].name)
    facts = read_facts([file.data for file in fetched.files], name=name, card=fetched.card)
    companions = fetch_companions(
        fetched,
        architecture=facts.architecture,
        adapters=order.adapters,
        draft=order.draft,
        projector=order.projector,
        has_projector=order.has_projector,
    )
    terms = all_terms(fetched, companions.terms)
    for note in fetched.notes + companions.notes + sentences(terms):
        console.info(note)
    require_accepted(terms, is_accepted=order.accepts_licence)
    parity = checked_parity(fetched) if order.checks_parity else None
    weights = quantized_file(fetched, quantize) if quantize else one_file(fetched)
    if quantize:
        facts = read_facts([weights.file.path], name=name, card=fetched.card)
    seconds = time.monotonic() - started
    return Prepared(resolved, name, fetched, facts, companions, weights, terms, parity, seconds)


def finish(
    order: Order,
    prepared: Prepared,
    taken: Collection[Path] = (),
    shared: SharedWeights | None = None,
) -> Report:
    """Pack a prepared model for the order's target, and see that it answers.

    Args:
        order: What it was prepared for, with any target.
        prepared: The model.
        taken: Files that must stay as they are.
        shared: The file of weights that it uses together with others; None gives it its own.

    Raises:
        AppError: Whatever failed, as one sentence.
    """
    started = time.monotonic()
    fetched, companions = prepared.fetched, prepared.companions
    facts, weights = prepared.facts, prepared.weights
    origin = msgspec.structs.replace(
        fetched.origin,
        files=weights.origin_files,
        steps=fetched.origin.steps + weights.steps,
    )
    kit = order.kit or ensure_kit(order.target, toolchain=order.toolchain, gpu=order.gpu)
    defaults = fetched.settings | order.defaults
    sha256 = order.weights_sha256 or weights.file.sha256
    baked: list[Path] = []
    if order.bake:
        sha256 = sha256 or digests_of([weights.file.data])[0]
        has_adapters = bool(companions.adapters)
        baked = bake(order.bake, weights.file, sha256, defaults, kit, has_adapters=has_adapters)
    contents = Contents(
        name=prepared.name,
        kit=kit,
        weights=weights.file.path,
        weights_inside=weights.file.inside,
        weights_name=weights.file.name,
        weights_sha256=sha256,
        model=facts,
        origin=origin,
        licences=fetched.licences + companions.licences,
        card=fetched.card.text,
        terms=prepared.terms,
        adapters=companions.adapters,
        draft=companions.draft,
        projector=companions.projector,
        defaults=defaults,
        branding=merged_branding(fetched.branding, order.branding),
        icon=order.icon or fetched.icon,
        parity=prepared.parity,
        prompts=baked,
        baked=order.bake.facts if order.bake else None,
        signer=order.signer,
    )
    stem = order.name or prepared.default_stem
    output = output_path(order.output, stem, order.target, tells_target=order.tells_target)
    require_free(output, taken)
    recover(output)
    has_sidecar = bool(shared) or order.has_sidecar or is_too_large(contents, order.target)
    if has_sidecar and not shared:
        require_free(sidecar_path(output), taken)
    require_room(
        contents,
        order.target,
        output.parent,
        has_sidecar=has_sidecar,
        is_sidecar_written=bool(shared and shared.facts),
    )
    with atomic_path(output, mode=0o755) as part, ExitStack() as stack:
        given = sidecar_part(part, output, shared)
        beside = stack.enter_context(given) if has_sidecar else None
        manifest = write_solofile(contents, part, beside)
        part.chmod(0o755)
        command = EMBED if facts.pooling else RUN
        test = tested(part, order.target, command) if order.is_smoke_tested else None
    app_files = _app_files(order, contents, output)
    if order.signer:
        with console.progress("Signing", output.stat().st_size) as advance:
            write_detached(output, order.signer, advance=advance)
    seconds = prepared.seconds + time.monotonic() - started
    report = _report(output, manifest, test, prepared, seconds, baked)
    return msgspec.structs.replace(report, app_files=[str(path) for path in app_files])


def _app_files(order: Order, contents: Contents, solofile: Path) -> list[Path]:
    if not (order.has_app and order.target.is_macos):
        return []
    from builder.macos.app import AppOrder, write_app

    title = contents.branding.title or contents.name
    app = AppOrder(title, order.app_id, contents.icon)
    return write_app(solofile, contents.kit, order.target, app)


def _report(
    path: Path,
    manifest: Manifest,
    test: SmokeTest | None,
    prepared: Prepared,
    seconds: float,
    baked: Sequence[Path],
) -> Report:
    sidecar = path.with_name(manifest.sidecar.name) if manifest.sidecar else None
    size = path.stat().st_size + (sidecar.stat().st_size if sidecar else 0)
    return Report(
        path=str(path),
        sidecar=str(sidecar or ""),
        size=size,
        overhead=size - manifest.weights.size,
        name=manifest.name,
        quantization=manifest.model.quantization,
        license=manifest.model.license or manifest.model.license_name,
        target=manifest.kit.target,
        glibc=manifest.kit.glibc,
        seconds=round(seconds, 1),
        start_seconds=round(test.start_s, 2) if test else None,
        answer=test.answer if test else None,
        source=prepared.resolved.label,
        origin=manifest.origin,
        perplexity=prepared.weights.perplexity,
        notes=prepared.notes,
        terms=manifest.terms,
        parity=prepared.parity,
        prompts=[BakedPrompt.read(path) for path in baked],
    )
