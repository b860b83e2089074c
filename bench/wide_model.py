"""A model with random weights whose rows are as wide as those of the models people use.

SmolLM2's rows of 576 do not divide into the blocks of 256 of the K-quantizations; these do.
"""

from pathlib import Path

import numpy as np
from gguf import GGUFWriter

_N_VOCAB = 8192
_N_EMBD = 1024
_N_FF = 2816
_N_LAYER = 12
_N_HEAD = 16
_N_HEAD_KV = 4


def write_wide_model(path: Path) -> None:
    """Write the model as a GGUF in F16, without a tokenizer; the same each time."""
    random = np.random.default_rng(1)
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(_N_EMBD)
    writer.add_feed_forward_length(_N_FF)
    writer.add_head_count(_N_HEAD)
    writer.add_head_count_kv(_N_HEAD_KV)
    writer.add_block_count(_N_LAYER)
    writer.add_rope_dimension_count(_N_EMBD // _N_HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(_N_VOCAB)
    writer.add_tokenizer_model("no_vocab")
    n_embd_kv = _N_EMBD // _N_HEAD * _N_HEAD_KV
    shapes = {"token_embd": (_N_VOCAB, _N_EMBD), "output": (_N_VOCAB, _N_EMBD)}
    for layer in range(_N_LAYER):
        block = f"blk.{layer}"
        shapes |= {
            f"{block}.attn_q": (_N_EMBD, _N_EMBD),
            f"{block}.attn_k": (n_embd_kv, _N_EMBD),
            f"{block}.attn_v": (n_embd_kv, _N_EMBD),
            f"{block}.attn_output": (_N_EMBD, _N_EMBD),
            f"{block}.ffn_gate": (_N_FF, _N_EMBD),
            f"{block}.ffn_up": (_N_FF, _N_EMBD),
            f"{block}.ffn_down": (_N_EMBD, _N_FF),
        }
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{block}.{norm}.weight", np.ones(_N_EMBD, np.float32))
    writer.add_tensor("output_norm.weight", np.ones(_N_EMBD, np.float32))
    for name, shape in shapes.items():
        weights = random.standard_normal(shape, np.float32) / np.sqrt(shape[-1])
        writer.add_tensor(f"{name}.weight", weights.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
