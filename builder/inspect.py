"""What is known of a source before it is downloaded: facts, files, sizes, memory."""

from pathlib import Path, PurePosixPath

import msgspec

from builder import console
from builder.cache.layout import scratch_path
from builder.console import human_bytes
from builder.errors import SourceError, ToolError
from builder.files import scratch_folder
from builder.gguf_facts import model_name, read_facts
from builder.gguf_header import Header, read_header
from builder.memory_need import cache_bytes, overhead_bytes
from builder.quantized_sizes import UNQUANTIZED, quantized_sizes
from builder.sources.card import Card
from builder.sources.hub import HubModel
from builder.sources.hub_header import read_hub_header
from builder.sources.source import Source

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
        license: Its licence; may be empty.
        has_template: Whether it brings a chat template.
        cache_bytes: What the KV cache takes with that context.
        overhead_bytes: About what a run takes besides.
        choices: The models there are, the one that `build` takes first.
        quantizable: What the first could be quantized to, without files; empty where it is already.
    """

    source: str
    name: str
    architecture: str
    n_params: int
    n_ctx_train: int
    n_ctx: int
    license: str
    has_template: bool
    cache_bytes: int
    overhead_bytes: int
    choices: list[Choice]
    quantizable: list[Choice] = []

    def as_text(self) -> str:
        """Return it for people."""
        rows = [
            ("Source", self.source),
            ("Model", f"{self.name}, {self.architecture}, {self.n_params / 1e6:,.0f} million"),
            ("Context", f"{self.n_ctx_train} tokens trained"),
            ("Licence", self.license or "not told"),
            ("Chat template", "yes" if self.has_template else "no"),
            ("KV cache", f"{human_bytes(self.cache_bytes)} with {self.n_ctx} tokens"),
            ("Besides", f"about {human_bytes(self.overhead_bytes)}"),
        ]
        lines = [f"{label + ':':15}{text}" for label, text in rows]
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
    """
    label = source.resolve().label
    if isinstance(source, HubModel):
        listing = source.listing()
        chosen = listing.variants[0]
        outlines = [
            read_hub_header(source.repository, name, listing.commit, listing.sizes[name])
            for name in chosen.files
        ]
        found = [
            (one.quantization, list(one.files), sum(listing.sizes[name] for name in one.files))
            for one in listing.variants
        ]
        headers = [one.header for one in outlines]
        inspection = _inspection(label, headers, found, listing.card, n_ctx)
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
    found = [(facts.quantization, files, size)]
    inspection = _inspection(label, headers, found, fetched.card, n_ctx)
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
    besides = inspection.cache_bytes + inspection.overhead_bytes
    quantizable = [
        Choice(quantization=kind, files=[], size=size, memory=size + besides)
        for kind, size in sizes.items()
    ]
    return msgspec.structs.replace(inspection, quantizable=quantizable)


def _inspection(
    label: str,
    headers: list[Header],
    found: list[tuple[str, list[str], int]],
    card: Card,
    n_ctx: int,
) -> Inspection:
    first = headers[0]
    architecture = first.text("general.architecture")
    trained = first.integer(f"{architecture}.context_length")
    n_ctx = n_ctx or min(DEFAULT_CONTEXT, trained or DEFAULT_CONTEXT)
    cache, overhead = cache_bytes(first, n_ctx), overhead_bytes(first)
    return Inspection(
        source=label,
        name=first.text("general.name") or model_name(found[0][1][0]),
        architecture=architecture,
        n_params=sum(tensor.num_elements for header in headers for tensor in header.tensors),
        n_ctx_train=trained,
        n_ctx=n_ctx,
        license=first.text("general.license") or card.license_id,
        has_template=bool(first.text("tokenizer.chat_template")),
        cache_bytes=cache,
        overhead_bytes=overhead,
        choices=[
            Choice(quantization=kind, files=files, size=size, memory=size + cache + overhead)
            for kind, files, size in found
        ],
    )
