"""Small GGUF files, written by the gguf package: a second opinion on our own reader."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np

TENSORS = {
    "token_embd.weight": (64, 32),
    "blk.0.attn_q.weight": (32, 32),
    "blk.0.ffn_up.weight": (96, 32),
    "output_norm.weight": (32,),
}


def write_gguf(
    path: Path,
    *,
    architecture: str = "llama",
    tensors: dict[str, tuple[int, ...]] | None = None,
    alignment: int = 0,
    quantized: bool = False,
    metadata: Mapping[str, str | int] | None = None,
    big_endian: bool = False,
) -> Path:
    """Write a GGUF with random but always the same tensors, and return its path."""
    writer = gguf.GGUFWriter(
        path,
        architecture,
        endianess=gguf.GGUFEndian.BIG if big_endian else gguf.GGUFEndian.LITTLE,
    )
    if alignment:
        writer.add_custom_alignment(alignment)
    writer.add_name("Tiny")
    writer.add_context_length(512)
    writer.add_token_list([f"token{number}" for number in range(50)])
    writer.add_token_scores([0.5] * 50)
    writer.add_chat_template("{{ messages }}")
    for key, value in (metadata or {}).items():
        if isinstance(value, str):
            writer.add_string(key, value)
        elif isinstance(value, bool):
            writer.add_bool(key, value)
        else:
            writer.add_uint16(key, value)
    _add_tensors(writer, TENSORS if tensors is None else tensors, quantized=quantized)
    _write(writer)
    return path


def write_split_gguf(folder: Path, name: str = "tiny", parts: int = 3) -> list[Path]:
    """Write the tensors of `write_gguf` over several parts, as llama.cpp's splitter names them."""
    names = list(TENSORS)
    paths = []
    for number in range(parts):
        path = folder / f"{name}-{number + 1:05}-of-{parts:05}.gguf"
        here = {key: TENSORS[key] for key in names[number::parts]}
        split = {"split.no": number, "split.count": parts}
        if number == 0:
            write_gguf(path, tensors=here, metadata=split)
        else:
            writer = gguf.GGUFWriter(path, "llama")
            writer.kv_data[0].clear()
            for key, value in split.items():
                writer.add_uint16(key, value)
            _add_tensors(writer, here, quantized=False)
            _write(writer)
        paths.append(path)
    return paths


def _add_tensors(writer: Any, tensors: dict[str, tuple[int, ...]], *, quantized: bool) -> None:
    for name, shape in tensors.items():
        random = np.random.default_rng(sum(name.encode()))
        values = random.standard_normal(shape, dtype=np.float32)
        if quantized and len(shape) > 1:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, values)


def _write(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
