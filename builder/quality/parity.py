"""Comparing a converted model with its original, which transformers computes, on sample texts."""

import json
from pathlib import Path
from typing import Any

import msgspec

from builder import console
from builder.cache.layout import scratch_path
from builder.child import run_child, run_script
from builder.convert.environment import converter_python
from builder.errors import ToolError
from builder.file_range import FileRange
from builder.files import explained_disk_errors, require_space, scratch_folder
from builder.gguf.facts import read_facts
from builder.gguf.header import read_header
from builder.native.llamacpp import expose_binding
from builder.quality.parity_process import OUTPUTS_NAME, PROCESS, TOKENS_NAME, ParityJob
from builder.quality.samples import read_samples
from builder.sources.source import FetchedModel
from runtime.engine.pooling import Pooling
from runtime.errors import ResourceError, UnsupportedError, UsageError
from runtime.machine import memory_available_bytes, physical_cores
from runtime.manifest import ModelFacts
from runtime.parity import LogitParity, Parity, VectorParity

# Of each text; more would say no more, and of a large vocabulary each takes a megabyte.
MAX_TOKENS = 96
MIN_COSINE = 0.999

_REFERENCE = Path(__file__).with_name("reference.py")
_FAILED = "Comparing with the original failed"
_FLOAT_BYTES = 4


class ParityError(ToolError):
    """A converted model does not say what its original says."""


class Limit(msgspec.Struct, frozen=True):
    """What a type's rounding explains: the least agreement, and the most divergence in nats."""

    min_top1: float
    max_kl: float


# llama.cpp rounds what it multiplies with BF16 to BF16, and with Q8_0 to Q8_0. The smaller a model,
# the more that shows: SmolLM2-135M agrees at 98.8 % and at 94 % of the positions, with divergences
# of 2e-4 and 7e-3. Of one whose RoPE is wrong, a tenth is left.
LIMITS = {
    "F32": Limit(0.99, 1e-3),
    "F16": Limit(0.99, 1e-3),
    "BF16": Limit(0.97, 1e-3),
    "Q8_0": Limit(0.9, 3e-2),
}


def is_explained(parity: Parity) -> bool:
    """Say whether the type's rounding explains a difference; of most types it is not known."""
    limit = LIMITS.get(parity.quantization)
    if not limit:
        return True
    # Written so that NaN is not explained.
    if isinstance(parity, VectorParity):
        return parity.min_cosine > MIN_COSINE
    return parity.top1 >= limit.min_top1 and parity.mean_kl < limit.max_kl


def checked_parity(fetched: FetchedModel) -> Parity:
    """Compare a model that a source converted with the checkpoint it was converted from.

    Raises:
        UsageError: It came as a GGUF.
        AppError: What `require_parity` raises.
    """
    (model,), checkpoint = fetched.files[:1], fetched.checkpoint
    if checkpoint is None:
        raise UsageError(
            f"{model.name} came as a GGUF, without the checkpoint to compare it with.",
            hint="Name the checkpoint as the source, or compare them with `parity`.",
        )
    # What was converted was allowed to be a pickle; beside safetensors one is not looked at.
    allows_pickle = not any(checkpoint.glob("*.safetensors"))
    return require_parity(checkpoint, model.data, allows_pickle=allows_pickle)


def require_parity(checkpoint: Path, model: FileRange, *, allows_pickle: bool = False) -> Parity:
    """Compare, tell of other tokens, and check that the difference is one of rounding.

    Args:
        checkpoint: The original's folder, as transformers reads it.
        model: The GGUF.
        allows_pickle: Whether the original's weights may be a pickle.

    Raises:
        ParityError: The converted model is another one.
        AppError: What `compare` raises.
    """
    parity = compare(checkpoint, model, allows_pickle=allows_pickle)
    if parity.other_tokens:
        console.warning(other_tokens_sentence(parity))
    if not is_explained(parity):
        raise ParityError(
            f"{model} does not say what its original {checkpoint} says: {parity}.",
            hint="llama.cpp's converter or its code for this architecture is wrong about it; "
            "use another version, or another model.",
        )
    return parity


def other_tokens_sentence(parity: Parity) -> str:
    """Return the sentence about texts that the two tokenizers cut differently."""
    return (
        f"The converted tokenizer makes other tokens than the original's of "
        f"{len(parity.other_tokens)} sample texts ({', '.join(parity.other_tokens)}); both models "
        "were given the converted one's."
    )


def compare(checkpoint: Path, model: FileRange, *, allows_pickle: bool = False) -> Parity:
    """Compute the same sample texts with a GGUF and with its original, one after the other.

    Args:
        checkpoint: The original's folder, as transformers reads it.
        model: The GGUF.
        allows_pickle: Whether the original's weights may be a pickle.

    Raises:
        DamagedFileError: The GGUF is cut short.
        DiskError: There is no room for what the models say.
        ResourceError: There is no memory for the original in float32.
        SourceError: The converter's environment cannot be made.
        ToolError: llama.cpp or transformers cannot compute the model.
        UnsupportedError: The model ranks.
        UsageError: The folder holds no checkpoint.
    """
    if not (checkpoint / "config.json").is_file():
        raise UsageError(
            f"{checkpoint} is no checkpoint: it has no config.json.",
            hint="Name the folder with the model's config.json and safetensors.",
        )
    facts = read_facts([model], name="")
    _require_comparable(model, facts)
    samples = read_samples()
    with scratch_folder(scratch_path("parity")) as work, explained_disk_errors(work / "new"):
        require_space(
            work, len(samples) * MAX_TOKENS * _row_bytes(model), purpose="what the model says"
        )
        job = ParityJob(
            weights=model.weights(),
            texts=[sample.text for sample in samples],
            max_tokens=MAX_TOKENS,
            folder=work,
            is_embedding=bool(facts.pooling),
        )
        _compute(job)
        found = _compare(job, checkpoint, facts.pooling, allows_pickle=allows_pickle)
    found["other_tokens"] = [samples[number].name for number in found["other_tokens"]]
    kind = VectorParity if facts.pooling else LogitParity
    return kind(quantization=facts.quantization, **found)


def _require_comparable(model: FileRange, facts: ModelFacts) -> None:
    if facts.pooling == Pooling.RANK.label:
        raise UnsupportedError(
            f"{model} ranks documents, and only models that generate text or embed it can be "
            "compared with their originals.",
            hint="Leave --check-parity out.",
        )
    needed, free = facts.n_params * _FLOAT_BYTES, memory_available_bytes()
    if needed > free:
        raise ResourceError(
            f"The original takes {console.human_bytes(needed)} of memory in float32, and "
            f"{console.human_bytes(free)} are free.",
            hint="Compare on a larger machine, or leave --check-parity out.",
        )


def _row_bytes(model: FileRange) -> int:
    embeddings = (one for one in read_header(model).tensors if one.name == "token_embd.weight")
    return _FLOAT_BYTES * next((one.shape[-1] for one in embeddings), 0)


def _compute(job: ParityJob) -> None:
    expose_binding()
    count = len(job.texts)
    with console.progress("Asking llama.cpp", count, unit_is_bytes=False) as advance:
        for message in run_child(PROCESS, job, what=_FAILED):
            advance(message.is_next)


def _compare(
    job: ParityJob, checkpoint: Path, pooling: str, *, allows_pickle: bool
) -> dict[str, Any]:
    python = converter_python()
    result = job.folder / "result.json"
    order = {
        "checkpoint": str(checkpoint.absolute()),
        "texts": job.texts,
        "max_tokens": job.max_tokens,
        "tokens": str(job.folder / TOKENS_NAME),
        "outputs": str(job.folder / OUTPUTS_NAME),
        "result": str(result),
        "is_embedding": job.is_embedding,
        "pooling": pooling,
        "allows_pickle": allows_pickle,
        "num_threads": physical_cores(),
    }
    with console.progress("Asking transformers", len(job.texts), unit_is_bytes=False) as advance:
        for message in run_script(python, _REFERENCE, order, what=_FAILED, who="transformers"):
            advance(message.is_next)
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found
