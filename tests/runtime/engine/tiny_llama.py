"""A transformer of a few kilobytes with random weights, for what depends on a model's shape."""

from pathlib import Path

import numpy as np
from gguf import GGUFWriter

N_VOCAB = 64
_N_HEAD = 2
_N_FF = 32


def write_tiny_llama(path: Path, *, head_size: int) -> None:
    """Write the model as a GGUF without a tokenizer; the same each time."""
    random = np.random.default_rng(1)
    n_embd = _N_HEAD * head_size
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(n_embd)
    writer.add_feed_forward_length(_N_FF)
    writer.add_head_count(_N_HEAD)
    writer.add_block_count(1)
    writer.add_rope_dimension_count(head_size)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(N_VOCAB)
    writer.add_tokenizer_model("no_vocab")
    shapes = {
        "token_embd.weight": (N_VOCAB, n_embd),
        "output_norm.weight": (n_embd,),
        "blk.0.attn_norm.weight": (n_embd,),
        "blk.0.attn_q.weight": (n_embd, n_embd),
        "blk.0.attn_k.weight": (n_embd, n_embd),
        "blk.0.attn_v.weight": (n_embd, n_embd),
        "blk.0.attn_output.weight": (n_embd, n_embd),
        "blk.0.ffn_norm.weight": (n_embd,),
        "blk.0.ffn_gate.weight": (_N_FF, n_embd),
        "blk.0.ffn_up.weight": (_N_FF, n_embd),
        "blk.0.ffn_down.weight": (n_embd, _N_FF),
    }
    for name, shape in shapes.items():
        writer.add_tensor(name, random.standard_normal(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
