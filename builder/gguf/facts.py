"""What a model's GGUF header says of it, and whether llama.cpp can load it."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence as ReadOnlyList
from pathlib import Path

from builder.file_range import FileRange
from builder.gguf.header import Header, read_header
from builder.gguf.tables import ARCHITECTURES, FILE_TYPES, TENSOR_TYPES
from builder.sources.card import Card
from runtime.engine.pooling import Pooling, pooling_of
from runtime.errors import DamagedFileError, UnsupportedError
from runtime.manifest import ModelFacts

# What a file name says of its quantization: `-Q4_K_M`, `.Q4_1`, `-UD-IQ2_XXS`, `-bf16`.
QUANTIZATION = re.compile(
    r"(?:^|[-._])((?:UD-)?(?:I?Q\d\w*|TQ\d_\d|MXFP4\w*|NVFP4|BF16|F16|F32|FP16|FP32))$",
    re.IGNORECASE,
)
PART = re.compile(r"-(\d{5})-of-(\d{5})$")
# A file type may say that it was guessed rather than chosen.
_GUESSED = 1024
# A model's page on a hub: its address ends in the repository.
_MODEL_PAGE = re.compile(r"^https?://[^/]+/([^/]+/[^/]+?)/?$")
_OTHER_KINDS = {"mmproj": "a projector", "adapter": "an adapter", "imatrix": "an importance matrix"}


def model_name(file_name: str) -> str:
    """Return a model's name from its file's: no folder, suffix, part number or quantization."""
    stem = PART.sub("", Path(file_name).name.removesuffix(".gguf"))
    return QUANTIZATION.sub("", stem) or stem


def read_facts(
    sources: ReadOnlyList[Path | FileRange], *, name: str, card: Card | None = None
) -> ModelFacts:
    """Read and check a model's headers.

    Args:
        sources: The GGUF, or all of its parts in order.
        name: What the model is called.
        card: What its source tells, for a header that names no licence.

    Raises:
        DamagedFileError: A file is not a GGUF, cut short, or not the part it should be.
        UnsupportedError: llama.cpp cannot load it.
        OSError: A file cannot be read.
    """
    headers = [read_header(source) for source in sources]
    _check_parts(sources, headers)
    first = headers[0]
    architecture = first.text("general.architecture")
    _check_loadable(sources[0], first, architecture)
    tensors = [tensor for header in headers for tensor in header.tensors]
    if not tensors:
        raise UnsupportedError(
            f"{sources[0]} holds a vocabulary only, no model.", hint="Name a file with weights."
        )
    template = first.text("tokenizer.chat_template")
    card = card or Card()
    own = licence_card(first)
    licence = own if own.license_id or own.license_name else card
    return ModelFacts(
        name=name,
        architecture=architecture,
        quantization=_quantization(first, headers),
        n_params=sum(tensor.num_elements for tensor in tensors),
        n_ctx_train=first.integer(f"{architecture}.context_length"),
        license=licence.license_id,
        license_name=licence.license_name,
        license_link=licence.license_link,
        base_model=card.base_model or own.base_model,
        chat_template_sha256=hashlib.sha256(template.encode()).hexdigest() if template else "",
        pooling=_pooling(first, architecture),
    )


def licence_card(header: Header) -> Card:
    """Return what a header tells of licence and base models, as a card would."""
    keys = [f"general.base_model.{n}" for n in range(header.integer("general.base_model.count"))]
    found = [header.text(f"{key}.repo_url") or header.text(f"{key}.name") for key in keys]
    return Card.of(
        {
            "license": header.text("general.license"),
            "license_name": header.text("general.license.name"),
            "license_link": header.text("general.license.link"),
            "base_model": [_MODEL_PAGE.sub(r"\1", name) for name in found],
        }
    )


def _check_parts(sources: ReadOnlyList[Path | FileRange], headers: list[Header]) -> None:
    for number, (source, header) in enumerate(zip(sources, headers, strict=True)):
        count = header.integer("split.count") or 1
        if count != len(sources) or header.integer("split.no") != number:
            raise DamagedFileError(
                f"{source} is part {header.integer('split.no') + 1} of {count} of a split model, "
                f"and not part {number + 1} of {len(sources)}.",
                hint="Name all parts as they were made: NAME-00001-of-00003.gguf and so on.",
            )


def _check_loadable(source: Path | FileRange, header: Header, architecture: str) -> None:
    kind = header.text("general.type")
    if architecture == "clip" or kind in _OTHER_KINDS:
        what = _OTHER_KINDS.get(kind, "a projector")
        raise UnsupportedError(
            f"{source} is {what}, not a language model.", hint="Name the model's own GGUF file."
        )
    if architecture not in ARCHITECTURES:
        raise UnsupportedError(
            f"{source} has the architecture {architecture or '(none)'}, which the llama.cpp of "
            "this version does not know.",
            hint="Use a newer version of solofile, or another model.",
        )


def _pooling(header: Header, architecture: str) -> str:
    """Return how a model makes embeddings that was made for those; empty for one that chats."""
    key, causal = (
        header.pairs.get(f"{architecture}.{name}") for name in ("pooling_type", "attention.causal")
    )
    pooling = pooling_of(header.integer(f"{architecture}.pooling_type")) if key else None
    is_encoder = architecture == "t5encoder" or (causal is not None and causal.value is False)
    if not pooling and not is_encoder:
        return ""
    return (Pooling.MEAN if pooling is None else pooling).label


def quantization_of(header: Header) -> str:
    """Return what the matrices of a single file are: a model, an adapter or a projector."""
    return _quantization(header, [header])


def _quantization(first: Header, headers: list[Header]) -> str:
    if "general.file_type" in first.pairs:
        label = FILE_TYPES.get(first.integer("general.file_type") & ~_GUESSED)
        if label:
            return label
    elements: Counter[int] = Counter()
    for header in headers:
        for tensor in header.tensors:
            elements[tensor.type_id] += tensor.num_elements
    return TENSOR_TYPES[elements.most_common(1)[0][0]].name
