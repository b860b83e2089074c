"""A recurrent model of a few kilobytes with random weights: its memory is what is tested."""

from pathlib import Path

import numpy as np
from gguf import GGUFWriter

N_VOCAB = 64
_N_EMBD = 32
_N_LAYER = 2
_D_INNER = 2 * _N_EMBD
_D_CONV = 4
_D_STATE = 8
_DT_RANK = 4


def write_tiny_mamba(path: Path) -> None:
    """Write the model as a GGUF without a tokenizer; the same each time."""
    random = np.random.default_rng(1)
    writer = GGUFWriter(path, "mamba")
    writer.add_context_length(4096)
    writer.add_embedding_length(_N_EMBD)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(_N_LAYER)
    writer.add_ssm_conv_kernel(_D_CONV)
    writer.add_ssm_inner_size(_D_INNER)
    writer.add_ssm_state_size(_D_STATE)
    writer.add_ssm_time_step_rank(_DT_RANK)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(N_VOCAB)
    writer.add_tokenizer_model("no_vocab")

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, random.standard_normal(shape).astype(np.float32))

    add("token_embd.weight", N_VOCAB, _N_EMBD)
    add("output_norm.weight", _N_EMBD)
    for layer in range(_N_LAYER):
        block = f"blk.{layer}"
        add(f"{block}.attn_norm.weight", _N_EMBD)
        add(f"{block}.ssm_in.weight", 2 * _D_INNER, _N_EMBD)
        add(f"{block}.ssm_conv1d.weight", _D_INNER, _D_CONV)
        add(f"{block}.ssm_conv1d.bias", _D_INNER)
        add(f"{block}.ssm_x.weight", _DT_RANK + 2 * _D_STATE, _D_INNER)
        add(f"{block}.ssm_dt.weight", _D_INNER, _DT_RANK)
        add(f"{block}.ssm_dt.bias", _D_INNER)
        # Negative: the state fades.
        decay = -np.exp(random.standard_normal((_D_INNER, _D_STATE))).astype(np.float32)
        writer.add_tensor(f"{block}.ssm_a", decay)
        add(f"{block}.ssm_d", _D_INNER)
        add(f"{block}.ssm_out.weight", _N_EMBD, _D_INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
