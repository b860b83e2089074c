"""How much memory a model needs, from its header alone."""

from builder.gguf.header import Header

# Prompts are computed in pieces of this many tokens, with a row of logits for each.
_BATCH_TOKENS = 512
_LOGIT_BYTES = 4
# Keys and values are kept in half precision.
_CELL_BYTES = 2
# The program itself, its libraries and small buffers.
_PROGRAM_BYTES = 96 << 20


def cache_bytes(header: Header, n_ctx: int) -> int:
    """Return what the KV cache takes with a context of `n_ctx` tokens.

    Models with recurrent layers need less; the header does not tell which layers those are.
    """
    architecture = header.text("general.architecture")

    def value(key: str) -> int:
        return header.integer(f"{architecture}.{key}")

    n_layers, n_heads = value("block_count"), value("attention.head_count") or 1
    if latent := value("attention.kv_lora_rank"):
        return n_layers * n_ctx * (latent + value("rope.dimension_count")) * _CELL_BYTES
    n_heads_kv = value("attention.head_count_kv") or n_heads
    head_size = value("embedding_length") // n_heads
    sizes = [value(f"attention.{part}_length") or head_size for part in ("key", "value")]
    return n_layers * n_ctx * n_heads_kv * sum(sizes) * _CELL_BYTES


def overhead_bytes(header: Header) -> int:
    """Return about what a run takes besides weights and cache."""
    embeddings = (one for one in header.tensors if one.name == "token_embd.weight")
    n_vocab = next((one.shape[-1] for one in embeddings), 0)
    return _PROGRAM_BYTES + _BATCH_TOKENS * n_vocab * _LOGIT_BYTES
