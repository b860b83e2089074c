"""How large a context this machine has memory for, and what does not fit into it."""

from runtime.errors import RequestError, ResourceError

# More than this is rarely used, and except on Linux its cells are touched when the context is made.
MAX_DEFAULT_N_CTX = 32768
MIN_N_CTX = 256
_GRANULE = 256


class ContextSizeError(RequestError):
    """A prompt is longer than the context.

    Args:
        num_prompt_tokens: The prompt's length.
        n_ctx: The context's.
    """

    def __init__(self, num_prompt_tokens: int, n_ctx: int) -> None:
        self.num_prompt_tokens = num_prompt_tokens
        self.n_ctx = n_ctx
        super().__init__(
            f"The prompt has {num_prompt_tokens} tokens, and the context holds {n_ctx}.",
            hint="Shorten it, or start with a larger --ctx-size.",
        )


def check_weights_fit(size_bytes: int, total_bytes: int) -> None:
    """Refuse weights that no amount of waiting would fit into memory.

    Raises:
        ResourceError: They are larger than the machine's memory.
    """
    if size_bytes > total_bytes:
        raise ResourceError(
            f"The model needs {_gb(size_bytes)} of memory for its weights, and this machine has "
            f"{_gb(total_bytes)}.",
            hint="Use a smaller model or a smaller quantization.",
        )


def choose_n_ctx(
    asked: int,
    *,
    n_ctx_train: int,
    kv_bytes_per_token: int,
    free_bytes: int,
    most: int | None = None,
) -> int:
    """Return the context's size in tokens.

    Args:
        asked: What the user asked for; 0 leaves the choice to us.
        n_ctx_train: The length the model was trained on.
        kv_bytes_per_token: What one token takes in the KV cache.
        free_bytes: Memory left once the weights are in.
        most: Tokens that other memory has room for; None where nobody has counted.

    Returns:
        What was asked for, or the model's own length within half of the free memory.

    Raises:
        ResourceError: There is not enough memory for what was asked, or for any context.
    """
    needed = max(asked, MIN_N_CTX) * kv_bytes_per_token
    if needed > free_bytes:
        raise ResourceError(
            f"A context of {max(asked, MIN_N_CTX)} tokens needs {_gb(needed)} of memory, and "
            f"{_gb(max(0, free_bytes))} is free once the model is loaded.",
            hint="Ask for a smaller one with --ctx-size, or close other programs.",
        )
    if asked:
        return asked
    affordable = free_bytes // 2 // max(1, kv_bytes_per_token)
    chosen = min(n_ctx_train or MAX_DEFAULT_N_CTX, most or MAX_DEFAULT_N_CTX, affordable)
    chosen = min(chosen, MAX_DEFAULT_N_CTX)
    return max(MIN_N_CTX, chosen // _GRANULE * _GRANULE)


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
