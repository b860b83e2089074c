"""Files of checkpoints written by hand, for what needs no real model."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

_TYPES = {"float32": "F32", "float16": "F16"}


def write_safetensors(path: Path, tensors: dict[str, npt.NDArray[np.generic]]) -> None:
    """Write a safetensors file."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": _TYPES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + tensor.nbytes],
        }
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def write_checkpoint(folder: Path) -> Path:
    """Write a folder that has all a checkpoint needs, with one small tensor."""
    folder.mkdir()
    write_safetensors(folder / "model.safetensors", {"weight": np.ones((4, 8), np.float32)})
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}', encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    return folder


def write_adapter(folder: Path, *, width: int = 64, num_layers: int = 2) -> Path:
    """Write a LoRA adapter of the queries of all layers, as PEFT saves one."""
    folder.mkdir()
    random = np.random.default_rng(5)
    tensors: dict[str, npt.NDArray[np.generic]] = {}
    for layer in range(num_layers):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        down, up = random.standard_normal((2, 2 * width)).astype(np.float32)
        tensors[f"{name}.lora_A.weight"] = down.reshape(2, width)
        tensors[f"{name}.lora_B.weight"] = up.reshape(width, 2)
    write_safetensors(folder / "adapter_model.safetensors", tensors)
    config = {"peft_type": "LORA", "lora_alpha": 4, "r": 2, "base_model_name_or_path": "acme/Tiny"}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder
