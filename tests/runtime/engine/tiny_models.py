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


class _TinyModel:
    """A GGUF without a tokenizer, the same each time it is written."""

    def __init__(self, path: Path, architecture: str, *, num_layers: int) -> None:
        self.writer = GGUFWriter(path, architecture)
        self._random = np.random.default_rng(1)
        self.writer.add_context_length(_N_CTX)
        self.writer.add_embedding_length(_N_EMBD)
        self.writer.add_block_count(num_layers)
        self.writer.add_layer_norm_rms_eps(1e-5)
        self.writer.add_vocab_size(N_VOCAB)
        self.writer.add_tokenizer_model("no_vocab")
        self.add("token_embd.weight", N_VOCAB, _N_EMBD)
        self.add("output_norm.weight", _N_EMBD)

    def add(self, name: str, *shape: int) -> None:
        self.writer.add_tensor(name, self._random.standard_normal(shape).astype(np.float32))

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
        # Negative: the state fades.
        decay = -np.exp(self._random.standard_normal((_D_INNER, _D_STATE))).astype(np.float32)
        self.writer.add_tensor(f"{block}.ssm_a", decay)
        self.add(f"{block}.ssm_d", _D_INNER)
        self.add(f"{block}.ssm_out.weight", _N_EMBD, _D_INNER)

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
    model.writer.add_feed_forward_length(_N_FF)
    model.writer.add_head_count(_N_HEAD)
    model.writer.add_head_count_kv(_N_HEAD)
    model.writer.add_key_length(_HEAD_SIZE)
    model.writer.add_value_length(_HEAD_SIZE)
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


WRITERS: dict[str, Callable[[Path], None]] = {
    "recurrent": write_recurrent,
    "hybrid": write_hybrid,
    "sliding": write_sliding,
}
