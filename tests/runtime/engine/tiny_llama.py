"""A transformer of a few kilobytes with random weights, for what depends on a model's shape."""

import string
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFWriter, TokenType

# A token for each character, behind the three special ones; U+2581 stands for a space.
SPECIAL = ["<unk>", "<s>", "</s>"]
CHARACTERS = "\u2581" + string.ascii_letters + ".,:!0123"
N_VOCAB = len(SPECIAL) + len(CHARACTERS)
_N_HEAD = 2
_N_FF = 32


def write_tiny_llama(
    path: Path,
    *,
    head_size: int,
    num_layers: int = 1,
    n_ff: int = _N_FF,
    tokenizer_of: Path | None = None,
    other_token: int | None = None,
    values: Mapping[str, int] | None = None,
    has_mrope: bool = False,
    control_tokens: Sequence[str] = (),
    num_experts: int = 0,
) -> None:
    """Write the model as a GGUF; the same each time.

    Args:
        path: Where to.
        head_size: Numbers in an attention head.
        num_layers: How many layers it has.
        n_ff: How wide its feed-forward part is.
        tokenizer_of: The model whose tokenizer it gets; None gives it a small one.
        other_token: A token that gets another text than it has there.
        values: More of the header, by key.
        has_mrope: Make it a qwen2vl, whose positions have several axes.
        control_tokens: More of them, behind all others of the small tokenizer.
        num_experts: How many experts its feed-forward part has, two of which each token uses; 0
            makes it one of none.
    """
    random = np.random.default_rng(1)
    n_embd = _N_HEAD * head_size
    writer = GGUFWriter(path, "qwen2vl" if has_mrope else "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(n_embd)
    writer.add_feed_forward_length(n_ff)
    writer.add_head_count(_N_HEAD)
    writer.add_block_count(num_layers)
    writer.add_rope_dimension_count(head_size)
    writer.add_layer_norm_rms_eps(1e-5)
    if has_mrope:
        writer.add_rope_dimension_sections([head_size // 4, head_size // 8, head_size // 8, 0])
    n_vocab = N_VOCAB + len(control_tokens)
    if tokenizer_of:
        n_vocab = _copy_tokenizer(tokenizer_of, writer, other_token)
    else:
        _add_vocabulary(writer, control_tokens)
    writer.add_vocab_size(n_vocab)
    if num_experts:
        writer.add_expert_count(num_experts)
        writer.add_expert_used_count(2)
    for key, value in (values or {}).items():
        writer.add_uint32(key, value)
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (n_vocab, n_embd),
        "output_norm.weight": (n_embd,),
        "output.weight": (n_vocab, n_embd),
    }
    for layer in range(num_layers):
        block = f"blk.{layer}"
        shapes |= {
            f"{block}.attn_norm.weight": (n_embd,),
            f"{block}.attn_q.weight": (n_embd, n_embd),
            f"{block}.attn_k.weight": (n_embd, n_embd),
            f"{block}.attn_v.weight": (n_embd, n_embd),
            f"{block}.attn_output.weight": (n_embd, n_embd),
            f"{block}.ffn_norm.weight": (n_embd,),
        }
        shapes |= _feed_forward(block, n_embd, n_ff, num_experts)
    for name, shape in shapes.items():
        # Numbers stay near 1 from layer to layer, so no token is certain.
        weights = 1.5 * random.standard_normal(shape) / np.sqrt(shape[-1])
        if len(shape) == 1:
            weights = np.ones(shape)
        writer.add_tensor(name, weights.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _feed_forward(
    block: str, n_embd: int, n_ff: int, num_experts: int
) -> dict[str, tuple[int, ...]]:
    if not num_experts:
        return {
            f"{block}.ffn_gate.weight": (n_ff, n_embd),
            f"{block}.ffn_up.weight": (n_ff, n_embd),
            f"{block}.ffn_down.weight": (n_embd, n_ff),
        }
    return {
        f"{block}.ffn_gate_inp.weight": (num_experts, n_embd),
        f"{block}.ffn_gate_exps.weight": (num_experts, n_ff, n_embd),
        f"{block}.ffn_up_exps.weight": (num_experts, n_ff, n_embd),
        f"{block}.ffn_down_exps.weight": (num_experts, n_embd, n_ff),
    }


def _add_vocabulary(writer: GGUFWriter, control_tokens: Sequence[str]) -> None:
    tokens = [*SPECIAL, *CHARACTERS, *control_tokens]
    types = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    normal = [TokenType.NORMAL] * len(CHARACTERS)
    writer.add_token_types([*types, *normal, *[TokenType.CONTROL] * len(control_tokens)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)


def _copy_tokenizer(source: Path, writer: GGUFWriter, other_token: int | None) -> int:
    """Copy all that a model's header says of its tokenizer; returns how many tokens there are."""
    n_vocab = 0
    for key, field in GGUFReader(source).fields.items():
        if not key.startswith("tokenizer."):
            continue
        value = field.contents()
        if key == "tokenizer.ggml.tokens":
            n_vocab = len(value)
            if other_token is not None:
                value[other_token] = "no such token"
        writer.add_key_value(key, value, field.types[0], *field.types[1:])
    return n_vocab
