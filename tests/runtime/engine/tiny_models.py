"""Models of a few kilobytes with random weights, one for each kind of memory that is tested."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from gguf import GGUFWriter

N_VOCAB = 64
# How far the sliding window of `write_sliding` reaches.
N_SWA = 16
_N_CTX = 4096
_N_EMBD = 32
_N_FF = 64
_N_HEAD = 4
_HEAD_SIZE = _N_EMBD // _N_HEAD
_D_INNER = 2 * _N_EMBD
_D_CONV = 4
_D_STATE = 8
_DT_RANK = 4
_RANK = 8
# Of smaller heads llama.cpp's vector code reads what lies behind them.
_WKV_SIZE = 64


class _TinyModel:
    """A GGUF without a tokenizer, the same each time it is written."""

    def __init__(
        self,
        path: Path,
        architecture: str,
        *,
        num_layers: int,
        output_norm: str = "output_norm",
        n_embd: int = _N_EMBD,
    ) -> None:
        self.writer = GGUFWriter(path, architecture)
        self._random = np.random.default_rng(1)
        self.writer.add_context_length(_N_CTX)
        self.writer.add_embedding_length(n_embd)
        self.writer.add_block_count(num_layers)
        self.writer.add_layer_norm_rms_eps(1e-5)
        self.writer.add_vocab_size(N_VOCAB)
        self.writer.add_tokenizer_model("no_vocab")
        self.add("token_embd.weight", N_VOCAB, n_embd)
        self.add(f"{output_norm}.weight", n_embd)

    def add(self, name: str, *shape: int) -> None:
        self.writer.add_tensor(name, self._random.standard_normal(shape).astype(np.float32))

    def set_attention(self, num_heads: int | list[int] = _N_HEAD) -> None:
        """Say how many heads there are, in each layer or in all, and what else goes with them."""
        self.writer.add_feed_forward_length(_N_FF)
        self.writer.add_head_count(_N_HEAD)
        self.writer.add_head_count_kv(num_heads)
        self.writer.add_key_length(_HEAD_SIZE)
        self.writer.add_value_length(_HEAD_SIZE)

    def add_attention_norms(self, block: str) -> None:
        self.add(f"{block}.attn_q_norm.weight", _HEAD_SIZE)
        self.add(f"{block}.attn_k_norm.weight", _HEAD_SIZE)

    def add_attention(self, block: str) -> None:
        for part in ("q", "k", "v", "output"):
            self.add(f"{block}.attn_{part}.weight", _N_EMBD, _N_EMBD)

    def add_feed_forward(self, block: str) -> None:
        self.add(f"{block}.ffn_norm.weight", _N_EMBD)
        self.add(f"{block}.ffn_gate.weight", _N_FF, _N_EMBD)
        self.add(f"{block}.ffn_up.weight", _N_FF, _N_EMBD)
        self.add(f"{block}.ffn_down.weight", _N_EMBD, _N_FF)

    def set_state_space(self) -> None:
        self.writer.add_ssm_conv_kernel(_D_CONV)
        self.writer.add_ssm_inner_size(_D_INNER)
        self.writer.add_ssm_state_size(_D_STATE)
        self.writer.add_ssm_time_step_rank(_DT_RANK)

    def add_state_space(self, block: str) -> None:
        self.add(f"{block}.ssm_in.weight", 2 * _D_INNER, _N_EMBD)
        self.add(f"{block}.ssm_conv1d.weight", _D_INNER, _D_CONV)
        self.add(f"{block}.ssm_conv1d.bias", _D_INNER)
        self.add(f"{block}.ssm_x.weight", _DT_RANK + 2 * _D_STATE, _D_INNER)
        self.add(f"{block}.ssm_dt.weight", _D_INNER, _DT_RANK)
        self.add(f"{block}.ssm_dt.bias", _D_INNER)
        self.add_decay(f"{block}.ssm_a", _D_INNER, _D_STATE)
        self.add(f"{block}.ssm_d", _D_INNER)
        self.add(f"{block}.ssm_out.weight", _N_EMBD, _D_INNER)

    def add_decay(self, name: str, *shape: int) -> None:
        # Negative: the state fades.
        decay = -np.exp(self._random.standard_normal(shape)).astype(np.float32)
        self.writer.add_tensor(name, decay)

    def close(self) -> None:
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()


def write_recurrent(path: Path) -> None:
    """Write a mamba of two layers."""
    model = _TinyModel(path, "mamba", num_layers=2)
    model.writer.add_feed_forward_length(0)
    model.writer.add_head_count(0)
    model.set_state_space()
    for block in ("blk.0", "blk.1"):
        model.add(f"{block}.attn_norm.weight", _N_EMBD)
        model.add_state_space(block)
    model.close()


def write_hybrid(path: Path) -> None:
    """Write a jamba: a recurrent layer, then one with attention."""
    model = _TinyModel(path, "jamba", num_layers=2)
    model.writer.add_feed_forward_length(_N_FF)
    model.writer.add_head_count(_N_HEAD)
    model.writer.add_head_count_kv([0, _N_HEAD])
    model.set_state_space()
    for block in ("blk.0", "blk.1"):
        model.add(f"{block}.attn_norm.weight", _N_EMBD)
        model.add_feed_forward(block)
    model.add_state_space("blk.0")
    model.add("blk.0.ssm_dt_norm.weight", _DT_RANK)
    model.add("blk.0.ssm_b_norm.weight", _D_STATE)
    model.add("blk.0.ssm_c_norm.weight", _D_STATE)
    model.add_attention("blk.1")
    model.close()


def write_sliding(path: Path) -> None:
    """Write a gemma2: a layer that looks back `N_SWA` tokens, then one that sees all."""
    model = _TinyModel(path, "gemma2", num_layers=2)
    model.set_attention()
    model.writer.add_attn_logit_softcapping(50.0)
    model.writer.add_final_logit_softcapping(30.0)
    model.writer.add_sliding_window(N_SWA)
    for block in ("blk.0", "blk.1"):
        model.add(f"{block}.attn_norm.weight", _N_EMBD)
        model.add(f"{block}.post_attention_norm.weight", _N_EMBD)
        model.add(f"{block}.post_ffw_norm.weight", _N_EMBD)
        model.add_attention(block)
        model.add_feed_forward(block)
    model.close()


def write_sliding_mostly(path: Path) -> None:
    """Write a gemma3: two layers that look back `N_SWA` tokens, then one that sees all."""
    model = _TinyModel(path, "gemma3", num_layers=3)
    model.set_attention()
    model.writer.add_sliding_window(N_SWA)
    model.writer.add_sliding_window_pattern([True, True, False])
    for block in ("blk.0", "blk.1", "blk.2"):
        model.add(f"{block}.attn_norm.weight", _N_EMBD)
        model.add(f"{block}.post_attention_norm.weight", _N_EMBD)
        model.add(f"{block}.post_ffw_norm.weight", _N_EMBD)
        model.add_attention_norms(block)
        model.add_attention(block)
        model.add_feed_forward(block)
    model.close()


def write_convolutional(path: Path, *, is_sliding: bool = False) -> None:
    """Write an lfm2: a layer that looks back two tokens, then one with attention.

    Args:
        path: Where to.
        is_sliding: Let attention look back `N_SWA` tokens.
    """
    model = _TinyModel(path, "lfm2", num_layers=2, output_norm="token_embd_norm")
    model.set_attention([0, _N_HEAD])
    model.writer.add_shortconv_l_cache(3)
    if is_sliding:
        model.writer.add_sliding_window(N_SWA)
    for block in ("blk.0", "blk.1"):
        model.add(f"{block}.attn_norm.weight", _N_EMBD)
        model.add_feed_forward(block)
    model.add("blk.0.shortconv.conv.weight", _N_EMBD, 3)
    model.add("blk.0.shortconv.in_proj.weight", 3 * _N_EMBD, _N_EMBD)
    model.add("blk.0.shortconv.out_proj.weight", _N_EMBD, _N_EMBD)
    model.add_attention_norms("blk.1")
    model.add_attention("blk.1")
    model.close()


def write_convolutional_sliding(path: Path) -> None:
    """Write an lfm2 whose attention has a sliding window."""
    write_convolutional(path, is_sliding=True)


def write_second_state_space(path: Path) -> None:
    """Write a granitehybrid: a layer of a mamba2, then one with attention."""
    model = _TinyModel(path, "granitehybrid", num_layers=2)
    model.set_attention([0, _N_HEAD])
    model.set_state_space()
    model.writer.add_ssm_group_count(1)
    for block in ("blk.0", "blk.1"):
        model.add(f"{block}.attn_norm.weight", _N_EMBD)
        model.add_feed_forward(block)
    inner = _D_INNER + 2 * _D_STATE
    model.add("blk.0.ssm_in.weight", _D_INNER + inner + _DT_RANK, _N_EMBD)
    model.add("blk.0.ssm_conv1d.weight", inner, _D_CONV)
    model.add("blk.0.ssm_conv1d.bias", inner)
    model.add("blk.0.ssm_dt.bias", _DT_RANK)
    model.add_decay("blk.0.ssm_a", _DT_RANK, 1)
    model.add("blk.0.ssm_d", _DT_RANK, 1)
    model.add("blk.0.ssm_norm.weight", 1, _D_INNER)
    model.add("blk.0.ssm_out.weight", _N_EMBD, _D_INNER)
    model.add_attention("blk.1")
    model.close()


def write_linear(path: Path) -> None:
    """Write an rwkv7 of two layers."""
    model = _TinyModel(path, "rwkv7", num_layers=2, n_embd=_WKV_SIZE)
    model.writer.add_layer_norm_eps(1e-5)
    model.writer.add_feed_forward_length(_N_FF)
    model.writer.add_head_count(0)
    model.writer.add_wkv_head_size(_WKV_SIZE)
    model.writer.add_decay_lora_rank(_RANK)
    model.writer.add_iclr_lora_rank(_RANK)
    model.writer.add_value_residual_mix_lora_rank(_RANK)
    model.writer.add_gate_lora_rank(_RANK)
    for name in ("token_embd_norm.weight", "token_embd_norm.bias", "output_norm.bias"):
        model.add(name, _WKV_SIZE)
    model.add("output.weight", N_VOCAB, _WKV_SIZE)
    for block in ("blk.0", "blk.1"):
        for name in ("attn_norm", "attn_norm_2", "time_mix_ln"):
            model.add(f"{block}.{name}.weight", _WKV_SIZE)
            model.add(f"{block}.{name}.bias", _WKV_SIZE)
        for name in ("w", "a", "v"):
            model.add(f"{block}.time_mix_{name}0.weight", _WKV_SIZE)
            model.add(f"{block}.time_mix_{name}1.weight", _RANK, _WKV_SIZE)
            model.add(f"{block}.time_mix_{name}2.weight", _WKV_SIZE, _RANK)
        model.add(f"{block}.time_mix_g1.weight", _RANK, _WKV_SIZE)
        model.add(f"{block}.time_mix_g2.weight", _WKV_SIZE, _RANK)
        model.add(f"{block}.time_mix_lerp_fused.weight", 6, 1, 1, _WKV_SIZE)
        for name in ("k_k", "k_a", "r_k"):
            model.add(f"{block}.time_mix_{name}.weight", _WKV_SIZE)
        for name in ("key", "value", "receptance", "output"):
            model.add(f"{block}.time_mix_{name}.weight", _WKV_SIZE, _WKV_SIZE)
        model.add(f"{block}.channel_mix_lerp_k.weight", 1, 1, _WKV_SIZE)
        model.add(f"{block}.channel_mix_key.weight", _N_FF, _WKV_SIZE)
        model.add(f"{block}.channel_mix_value.weight", _WKV_SIZE, _N_FF)
    model.close()


WRITERS: dict[str, Callable[[Path], None]] = {
    "recurrent": write_recurrent,
    "hybrid": write_hybrid,
    "sliding": write_sliding,
    "sliding-mostly": write_sliding_mostly,
    "convolutional": write_convolutional,
    "convolutional-sliding": write_convolutional_sliding,
    "second-state-space": write_second_state_space,
    "linear": write_linear,
}
