"""What is known of a source before it is downloaded: facts, files, sizes, memory."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from builder import console
from builder.cache.layout import scratch_path
from builder.console import human_bytes
from builder.errors import SourceError, ToolError
from builder.files import scratch_folder
from builder.gguf.facts import licence_card, model_name, read_facts
from builder.gguf.header import Header, read_header
from builder.memory_need import cache_bytes, overhead_bytes
from builder.quantize.sizes import UNQUANTIZED, quantized_sizes
from builder.sources.card import Card
from builder.sources.checkpoint import is_to_convert
from builder.sources.hub import HubModel
from builder.sources.hub_header import read_hub_header
from builder.sources.papers import is_licence
from builder.sources.source import LicenceFile, ResolvedSource, Source
from builder.terms import find_terms, sentences
from runtime.errors import UnsupportedError

DEFAULT_CONTEXT = 4096


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One model of a source: its quantization, files, and bytes on disk and in memory."""

    quantization: str
    files: list[str]
    size: int
    memory: int


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What a source holds.

    Args:
        source: What it is, exactly.
        name: What the model is called.
        architecture: llama.cpp's name for it.
        n_params: How many parameters the model has.
        n_ctx_train: The context it was trained with.
        n_ctx: The context that memory is told for.
        license: Its licences; may be empty.
        base_model: The models it was made from.
        has_template: Whether it brings a chat template.
        projector: The file by which it sees; empty where there is none.
        projector_size: Its size in bytes.
        cache_bytes: What the KV cache takes with that context.
        overhead_bytes: About what a run takes besides.
        choices: The models there are, the one that `build` takes first.
        quantizable: What the first could be quantized to, without files; empty where it is already.
        notes: Sentences on what must be known before it is downloaded or passed on.
    """

    source: str
    name: str
    architecture: str
    n_params: int
    n_ctx_train: int
    n_ctx: int
    license: str
    base_model: list[str]
    has_template: bool
    projector: str
    projector_size: int
    cache_bytes: int
    overhead_bytes: int
    choices: list[Choice]
    notes: list[str]
    quantizable: list[Choice] = []

    def as_text(self) -> str:
        """Return it for people."""
        rows = [
            ("Source", self.source),
            ("Model", f"{self.name}, {self.architecture}, {self.n_params / 1e6:,.0f} million"),
            ("Context", f"{self.n_ctx_train} tokens trained"),
            ("Licence", self.license or "not told"),
            *(("Base model", name) for name in self.base_model),
            ("Chat template", "yes" if self.has_template else "no"),
            *(
                [("Projector", f"{self.projector}, {human_bytes(self.projector_size)}")]
                if self.projector
                else []
            ),
            ("KV cache", f"{human_bytes(self.cache_bytes)} with {self.n_ctx} tokens"),
            ("Besides", f"about {human_bytes(self.overhead_bytes)}"),
        ]
        lines = [f"{label + ':':15}{text}" for label, text in rows]
        lines += ["", *self.notes] if self.notes else []
        lines += ["", f"{'QUANTIZATION':14}{'SIZE':>10}{'MEMORY':>10}  FILE"]
        for one in self.choices:
            size, memory = human_bytes(one.size), human_bytes(one.memory)
            lines.append(f"{one.quantization or '?':14}{size:>10}{memory:>10}  {one.files[0]}")
        for one in self.quantizable:
            size, memory = human_bytes(one.size), human_bytes(one.memory)
            lines.append(f"{one.quantization:14}{size:>10}{memory:>10}  with --quantize")
        return "\n".join(lines)


def inspect_source(source: Source, n_ctx: int) -> Inspection:
    """Find out what a source holds; of files on the hub, only headers are fetched.

    Args:
        source: Where the model lies.
        n_ctx: The context to tell memory for; 0 takes 4096, or what was trained if that is less.

    Raises:
        DamagedFileError: A file is no GGUF.
        SourceError: The source is not there or not reachable.
        UnsupportedError: The source is a checkpoint.
    """
    resolved = source.resolve()
    if is_to_convert(source):
        raise UnsupportedError(
            f"{resolved.label} is a checkpoint, and what it needs is known once it is a GGUF.",
            hint="Make one with `convert`, and name that.",
        )
    if isinstance(source, HubModel):
        listing = source.listing()
        chosen = listing.variants[0]
        outlines = [
            read_hub_header(source.repository, name, listing.commit, listing.sizes[name])
            for name in chosen.files
        ]
        models = [
            (one.quantization, list(one.files), sum(listing.sizes[name] for name in one.files))
            for one in listing.variants
        ]
        inspection = _inspection(
            resolved,
            _Found(
                headers=[one.header for one in outlines],
                models=models,
                card=listing.card,
                licences=[LicenceFile(path, b"") for path in listing.sizes if is_licence(path)],
                projector=listing.projector or "",
                projector_size=listing.sizes.get(listing.projector or "", 0),
            ),
            n_ctx,
        )
        with scratch_folder(scratch_path("outlines")) as folder:
            paths = [folder / PurePosixPath(name).name for name in chosen.files]
            for outline, path in zip(outlines, paths, strict=True):
                outline.write_outline(path)
            return _with_quantizable(inspection, paths)
    fetched = source.fetch()
    headers = [read_header(file.data) for file in fetched.files]
    facts = read_facts([file.data for file in fetched.files], name="")
    size = sum(file.data.size for file in fetched.files)
    files = [file.name for file in fetched.files]
    projector = fetched.projector.fetch().files[0] if fetched.projector else None
    inspection = _inspection(
        resolved,
        _Found(
            headers=headers,
            models=[(facts.quantization, files, size)],
            card=fetched.card,
            licences=fetched.licences,
            projector=projector.name if projector else "",
            projector_size=projector.data.size if projector else 0,
        ),
        n_ctx,
    )
    if any(file.inside for file in fetched.files):  # llama.cpp quantizes files only.
        return inspection
    return _with_quantizable(inspection, [file.path for file in fetched.files])


def _with_quantizable(inspection: Inspection, parts: list[Path]) -> Inspection:
    if inspection.choices[0].quantization not in UNQUANTIZED:
        return inspection
    try:
        sizes = quantized_sizes(parts)
    except (SourceError, ToolError) as error:
        console.info(f"What it could be quantized to is not known. {error.message}")
        return inspection
    first = inspection.choices[0]
    quantizable = [
        Choice(quantization=kind, files=[], size=size, memory=first.memory - first.size + size)
        for kind, size in sizes.items()
    ]
    return msgspec.structs.replace(inspection, quantizable=quantizable)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a source holds: of its first model the headers, and each by quantization and files."""

    headers: list[Header]
    models: list[tuple[str, list[str], int]]
    card: Card
    licences: list[LicenceFile]
    projector: str
    projector_size: int


def _inspection(resolved: ResolvedSource, found: _Found, n_ctx: int) -> Inspection:
    first = found.headers[0]
    own = licence_card(first)
    architecture = first.text("general.architecture")
    trained = first.integer(f"{architecture}.context_length")
    n_ctx = n_ctx or min(DEFAULT_CONTEXT, trained or DEFAULT_CONTEXT)
    cache, overhead = cache_bytes(first, n_ctx), overhead_bytes(first)
    besides = cache + overhead + found.projector_size
    terms = find_terms([own, found.card], found.licences)
    return Inspection(
        source=resolved.label,
        name=first.text("general.name") or model_name(found.models[0][1][0]),
        architecture=architecture,
        n_params=sum(tensor.num_elements for header in found.headers for tensor in header.tensors),
        n_ctx_train=trained,
        n_ctx=n_ctx,
        license=", ".join(one.license for one in terms),
        base_model=found.card.base_model or own.base_model,
        has_template=bool(first.text("tokenizer.chat_template")),
        projector=found.projector,
        projector_size=found.projector_size,
        cache_bytes=cache,
        overhead_bytes=overhead,
        choices=[
            Choice(quantization=kind, files=files, size=size, memory=size + besides)
            for kind, files, size in found.models
        ],
        notes=resolved.notes + sentences(terms),
    )
