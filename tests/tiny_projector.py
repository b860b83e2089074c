"""A projector of a few kilobytes with random weights, one for each way that images are read."""

from pathlib import Path

import numpy as np
from gguf import GGUFWriter

IMAGE_SIZE = 32
_PATCH_SIZE = 8
_N_EMBD = 32
_N_HEAD = 4
_N_FF = 48
# The last layer of a LLaVA's is not used.
_NUM_LAYERS = 2
# Each side of a `gemma3` image is scaled down by this.
_POOLING = 2


def write_tiny_projector(path: Path, *, n_embd: int, kind: str = "mlp", seed: int = 1) -> None:
    """Write the projector as a GGUF; the same each time.

    Args:
        path: Where to.
        n_embd: The size of the model's embeddings.
        kind: `mlp` as LLaVA's, `gemma3` (its cells see each other), or `qwen2vl_merger` (M-RoPE).
        seed: Of its weights.
    """
    random = np.random.default_rng(seed)
    writer = GGUFWriter(path, "clip")
    writer.add_string("general.type", "mmproj")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", kind)
    numbers = {
        "image_size": IMAGE_SIZE,
        "patch_size": _PATCH_SIZE,
        "embedding_length": _N_EMBD,
        "feed_forward_length": _N_FF,
        "block_count": _NUM_LAYERS,
        "projection_dim": n_embd,
        "attention.head_count": _N_HEAD,
        "projector.scale_factor": _POOLING,
    }
    for name, number in numbers.items():
        writer.add_uint32(f"clip.vision.{name}", number)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    writer.add_array("clip.vision.image_mean", [0.5] * 3)
    writer.add_array("clip.vision.image_std", [0.5] * 3)
    for name, shape in _shapes(kind, n_embd).items():
        weights = random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        is_norm = ".ln" in name or "_ln" in name or "norm" in name
        if is_norm and name.endswith("weight"):
            weights = np.ones(shape)
        writer.add_tensor(name, weights.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _shapes(kind: str, n_embd: int) -> dict[str, tuple[int, ...]]:
    patch = (_N_EMBD, 3, _PATCH_SIZE, _PATCH_SIZE)
    shapes: dict[str, tuple[int, ...]] = {"v.patch_embd.weight": patch}
    if kind == "qwen2vl_merger":
        shapes["v.patch_embd.weight.1"] = patch
    else:
        shapes["v.position_embd.weight"] = ((IMAGE_SIZE // _PATCH_SIZE) ** 2, _N_EMBD)
    for layer in range(_NUM_LAYERS):
        block = f"v.blk.{layer}"
        for part in ("q", "k", "v", "out"):
            shapes[f"{block}.attn_{part}.weight"] = (_N_EMBD, _N_EMBD)
            shapes[f"{block}.attn_{part}.bias"] = (_N_EMBD,)
        for norm in ("ln1", "ln2"):
            shapes[f"{block}.{norm}.weight"] = (_N_EMBD,)
            shapes[f"{block}.{norm}.bias"] = (_N_EMBD,)
        shapes[f"{block}.ffn_up.weight"] = (_N_FF, _N_EMBD)
        shapes[f"{block}.ffn_up.bias"] = (_N_FF,)
        shapes[f"{block}.ffn_down.weight"] = (_N_EMBD, _N_FF)
        shapes[f"{block}.ffn_down.bias"] = (_N_EMBD,)
    if kind == "gemma3":
        shapes["mm.input_projection.weight"] = (_N_EMBD, n_embd)
        shapes["mm.soft_emb_norm.weight"] = (_N_EMBD,)
        shapes["v.post_ln.weight"] = (_N_EMBD,)
        shapes["v.post_ln.bias"] = (_N_EMBD,)
        return shapes
    width = _N_EMBD * (4 if kind == "qwen2vl_merger" else 1)
    shapes["mm.0.weight"], shapes["mm.0.bias"] = (width, width), (width,)
    shapes["mm.2.weight"], shapes["mm.2.bias"] = (n_embd, width), (n_embd,)
    if kind == "qwen2vl_merger":
        shapes["v.post_ln.weight"] = (_N_EMBD,)
        shapes["v.post_ln.bias"] = (_N_EMBD,)
    return shapes
