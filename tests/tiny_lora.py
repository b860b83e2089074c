"""A LoRA adapter of a few kilobytes with random weights."""

from pathlib import Path

import numpy as np
from gguf import GGUFWriter

N_EMBD = 576  # SmolLM2-135M's
_RANK = 2


def write_tiny_lora(
    path: Path, *, seed: int = 1, n_embd: int = N_EMBD, architecture: str = "llama"
) -> None:
    """Write an adapter of the queries of the first two layers; the same seed gives the same."""
    random = np.random.default_rng(seed)
    writer = GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 2.0 * _RANK)
    for layer in range(2):
        name = f"blk.{layer}.attn_q.weight"
        down = random.standard_normal((_RANK, n_embd)).astype(np.float32)
        up = random.standard_normal((n_embd, _RANK)).astype(np.float32)
        writer.add_tensor(f"{name}.lora_a", down)
        writer.add_tensor(f"{name}.lora_b", up)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
