"""The table of types, against what the pinned llama.cpp does."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFWriter

from builder.gguf.tables import FILE_TYPES
from builder.quantize.options import QuantizeOptions
from builder.quantize.plan import plan_quantizations
from builder.quantize.table import QUANTIZATIONS, find_quantization, find_tensor_type
from runtime.errors import UsageError

N_EMBD, N_FF, N_VOCAB, N_LAYER, N_KV = 4096, 14336, 128256, 32, 1024


def write_llama_3_1_8b(path: Path) -> None:
    """Write the header of Llama 3.1 8B, with a hole where its weights would be."""
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(131072)
    writer.add_embedding_length(N_EMBD)
    writer.add_block_count(N_LAYER)
    writer.add_feed_forward_length(N_FF)
    writer.add_head_count(32)
    writer.add_head_count_kv(8)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(N_VOCAB)
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (N_VOCAB, N_EMBD),
        "output.weight": (N_VOCAB, N_EMBD),
        "output_norm.weight": (N_EMBD,),
        "rope_freqs.weight": (64,),
    }
    for layer in range(N_LAYER):
        for name, shape in {
            "attn_norm": (N_EMBD,),
            "ffn_norm": (N_EMBD,),
            "attn_q": (N_EMBD, N_EMBD),
            "attn_k": (N_KV, N_EMBD),
            "attn_v": (N_KV, N_EMBD),
            "attn_output": (N_EMBD, N_EMBD),
            "ffn_gate": (N_FF, N_EMBD),
            "ffn_up": (N_FF, N_EMBD),
            "ffn_down": (N_EMBD, N_FF),
        }.items():
            shapes[f"blk.{layer}.{name}.weight"] = shape
    size = 0
    for name, shape in shapes.items():
        kind = np.dtype(np.float16 if len(shape) > 1 else np.float32)
        writer.add_tensor_info(name, shape, kind, int(np.prod(shape)) * kind.itemsize)
        size += int(np.prod(shape)) * kind.itemsize
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + size + 64)


def test_bits_per_weight(tmp_path: Path) -> None:
    """Every number, and what needs an importance matrix, is what llama.cpp finds."""
    model = tmp_path / "8b.gguf"
    write_llama_3_1_8b(model)
    choices = [QuantizeOptions(quantization=one) for one in QUANTIZATIONS.values()]
    plans = plan_quantizations([model], choices)
    found = [(round(plan.bits_per_weight, 4), plan.needs_imatrix) for plan in plans]
    assert found == [(one.bits_per_weight, one.needs_imatrix) for one in QUANTIZATIONS.values()]
    assert plans[0].size_bytes == 4 * plans[0].num_elements == 4 * 8_030_261_312


def test_all_there_are() -> None:
    """The table has all file types that llama.cpp makes; NVFP4 it only reads."""
    assert set(QUANTIZATIONS) == set(FILE_TYPES.values()) - {"NVFP4"}
    sizes = [one.bits_per_weight for one in QUANTIZATIONS.values()]
    assert sizes == sorted(sizes, reverse=True)


def test_names() -> None:
    """Names are known in any case and as llama-quantize abbreviates them."""
    assert find_quantization("q5_k").name == "Q5_K_M"
    assert find_quantization("mxfp4_moe").file_type == 38
    assert find_tensor_type("q6_k") == 14
    with pytest.raises(UsageError, match=r"Q9 is no type llama\.cpp quantizes to"):
        find_quantization("Q9")
    with pytest.raises(UsageError, match="q8_k is no type a tensor can be quantized to"):
        find_tensor_type("q8_k")
