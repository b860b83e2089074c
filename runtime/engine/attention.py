"""How attention computes and remembers: the KV cache's types, flash attention, and RoPE."""

from typing import Any

import msgspec

from runtime.errors import UsageError


class CacheType(msgspec.Struct, frozen=True):
    """A type of the KV cache's numbers.

    Args:
        ggml_type: Its number in ggml.h.
        block_bytes: What a block of its numbers takes.
        block_size: How many numbers a block has; more than one where the type is quantized.
    """

    ggml_type: int
    block_bytes: int
    block_size: int = 1

    def size_bytes(self, num_elements: int) -> int:
        """Return what some numbers of this type take."""
        return num_elements * self.block_bytes // self.block_size


# Those that llama.cpp's flags know; the sizes are those of the blocks in ggml-common.h.
CACHE_TYPES = {
    "f32": CacheType(0, 4),
    "f16": CacheType(1, 2),
    "bf16": CacheType(30, 2),
    "q8_0": CacheType(8, 34, 32),
    "q4_0": CacheType(2, 18, 32),
    "q4_1": CacheType(3, 20, 32),
    "iq4_nl": CacheType(20, 18, 32),
    "q5_0": CacheType(6, 22, 32),
    "q5_1": CacheType(7, 24, 32),
}
FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
ROPE_SCALINGS = {"none": 0, "linear": 1, "yarn": 2}


class AttentionOptions(msgspec.Struct, frozen=True):
    """What of the context is attention's, by the names of llama.cpp's flags; None is the model's.

    Args:
        cache_type_k: The type of the keys, one of `CACHE_TYPES`.
        cache_type_v: The type of the values; quantized ones need flash attention.
        flash_attn: `on`, `off`, or `auto`: on where llama.cpp can.
        rope_scaling: One of `ROPE_SCALINGS`.
        rope_scale: How many times longer the context becomes.
        rope_freq_base: RoPE's base frequency.
        rope_freq_scale: The inverse of `rope_scale`, which says the same.
        yarn_orig_ctx: YaRN's original context, in tokens.
        yarn_ext_factor: YaRN's mix of extrapolation.
        yarn_attn_factor: YaRN's factor on the attention's magnitude.
        yarn_beta_slow: YaRN's low correction dimension.
        yarn_beta_fast: YaRN's high correction dimension.

    Raises:
        UsageError: A name is unknown, a scale not positive, or the values do not go together.
    """

    cache_type_k: str = "f16"
    cache_type_v: str = "f16"
    flash_attn: str = "auto"
    rope_scaling: str | None = None
    rope_scale: float | None = None
    rope_freq_base: float | None = None
    rope_freq_scale: float | None = None
    yarn_orig_ctx: int | None = None
    yarn_ext_factor: float | None = None
    yarn_attn_factor: float | None = None
    yarn_beta_slow: float | None = None
    yarn_beta_fast: float | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        _check_name("cache-type-k", self.cache_type_k, CACHE_TYPES)
        _check_name("cache-type-v", self.cache_type_v, CACHE_TYPES)
        _check_name("flash-attn", self.flash_attn, FLASH_ATTENTION)
        if self.rope_scaling is not None:
            _check_name("rope-scaling", self.rope_scaling, ROPE_SCALINGS)
        for name in ("rope_scale", "rope_freq_base", "rope_freq_scale"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UsageError(f"{name.replace('_', '-')} is {value:g}, and must be above 0.")
        if self.rope_scale is not None and self.rope_freq_scale is not None:
            raise UsageError(
                "rope-scale and rope-freq-scale say the same thing twice.",
                hint="Leave one of them out.",
            )
        if self.flash_attn == "off" and CACHE_TYPES[self.cache_type_v].block_size > 1:
            raise UsageError(
                f"cache-type-v {self.cache_type_v} needs flash attention, which is turned off.",
                hint="Leave --flash-attn out, or take f16 for the values.",
            )

    def bytes_per_cell(self, num_keys: int, num_values: int) -> int:
        """Return what a token's keys and values take, given how many numbers they are."""
        keys = CACHE_TYPES[self.cache_type_k].size_bytes(num_keys)
        return keys + CACHE_TYPES[self.cache_type_v].size_bytes(num_values)

    def apply(self, params: Any) -> None:
        """Write the options into llama.cpp's `llama_context_params`."""
        params.type_k = CACHE_TYPES[self.cache_type_k].ggml_type
        params.type_v = CACHE_TYPES[self.cache_type_v].ggml_type
        params.flash_attn_type = FLASH_ATTENTION[self.flash_attn]
        if self.rope_scaling is not None:
            params.rope_scaling_type = ROPE_SCALINGS[self.rope_scaling]
        if self.rope_scale is not None:
            params.rope_freq_scale = 1 / self.rope_scale
        for name in (
            "rope_freq_base", "rope_freq_scale", "yarn_orig_ctx", "yarn_ext_factor",
            "yarn_attn_factor", "yarn_beta_slow", "yarn_beta_fast",
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None:
                setattr(params, name, value)


def _check_name(option: str, name: str, known: dict[str, Any]) -> None:
    if name not in known:
        raise UsageError(
            f"{option} is {name!r}, which is none of {', '.join(known)}.",
            hint=f"Name one of them, as in --{option} {next(iter(known))}.",
        )
