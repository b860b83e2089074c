"""What a saved state depends on beside the weights: this llama.cpp and this kind of context."""

import hashlib

from runtime.engine.attention import AttentionOptions
from runtime.engine.llama import library_folder
from runtime.engine.model import Model

LIBRARY_PATTERN = "*llama.*"


def state_facts(
    model: Model, attention: AttentionOptions, n_ctx: int, library_sha256: str = ""
) -> str:
    """Return the facts as one text; equal texts and equal weights mean interchangeable states.

    Args:
        model: The loaded model.
        attention: How its context attends.
        n_ctx: The context's size, in tokens.
        library_sha256: The digest of the library that is to take the state; empty for this one.
    """
    # Beyond the context a model was first trained for, some turn to other RoPE factors.
    architecture = model.metadata("general.architecture")
    first = model.metadata(f"{architecture}.rope.scaling.original_context_length")
    is_long = first is not None and n_ctx > int(first)
    facts = f"{attention} is_long={is_long} libllama={library_sha256 or _library_digest()}"
    return f"{facts} gpu={model.placement.facts}" if model.placement else facts


def _library_digest() -> str:
    """Return the digest of the library: a state has no version of its own."""
    library = min(library_folder().glob(LIBRARY_PATTERN))
    return hashlib.sha256(library.read_bytes()).hexdigest()
