"""Checkpoints as Hugging Face's libraries write them, by a script in the converter's environment.

SmolLM2 comes out of its GGUF, and small ones of other architectures have random weights. Those of
`SENTENCEPIECE` have a tiny SentencePiece tokenizer, as the converter asks of them, the others
SmolLM2's.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SENTENCEPIECE = ("llama", "mistral", "phi3", "gemma", "gemma3_text")
SMOLLM2_TOKENIZER = ("qwen2", "qwen3", "qwen3_moe")
VISION = "idefics3"
TINY = SENTENCEPIECE + SMOLLM2_TOKENIZER

# What all of the small ones have in common, by the names of transformers.
_SHAPE = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 256,
    "initializer_range": 0.2, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2,
    "pad_token_id": 0,
}  # fmt: skip
_OWN: dict[str, dict[str, Any]] = {
    # As in all that were published; llama.cpp knows no others.
    "qwen3_moe": {
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 32,
        "norm_topk_prob": True,
    },
    "gemma": {"tie_word_embeddings": True},
    "gemma3_text": {"tie_word_embeddings": True, "query_pre_attn_scalar": 16},
}


def write_smollm2(python: Path, gguf: Path, folder: Path) -> None:
    """Write SmolLM2's checkpoint: float16 safetensors, its configuration and its tokenizer."""
    _run(python, "smollm2", gguf, folder)


def write_tiny(python: Path, gguf: Path, folder: Path) -> dict[str, Path]:
    """Write small random checkpoints, of each of `TINY` and `VISION`, and return their folders."""
    _run(python, "tiny", gguf, folder)
    return {name: folder / name for name in (*TINY, VISION)}


def _run(python: Path, what: str, gguf: Path, folder: Path) -> None:
    command = [str(python), __file__, what, str(gguf), str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"HF_HUB_OFFLINE": "1"}
    )
    assert done.returncode == 0, done.stderr


def _smollm2(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    config = LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=8192,
        rope_theta=100000.0, rms_norm_eps=1e-5, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    torch.set_default_dtype(torch.float16)
    model = LlamaForCausalLM(config)
    read = load_gguf_checkpoint(str(gguf), return_tensors=True, model_to_load=model)
    missing = model.load_state_dict(read["tensors"], strict=False).missing_keys
    assert missing == ["lm_head.weight"], "it is the embedding"
    model.save_pretrained(folder)
    _smollm2_tokenizer(gguf).save_pretrained(folder)


def _smollm2_tokenizer(gguf: Path) -> Any:
    """Return the tokenizer: byte pairs, with every digit a word of its own."""
    from gguf import GGUFReader
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import GPT2TokenizerFast

    fields = GGUFReader(gguf).fields
    tokens: Any = fields["tokenizer.ggml.tokens"].contents()
    merges: Any = fields["tokenizer.ggml.merges"].contents()
    kinds: Any = fields["tokenizer.ggml.token_type"].contents()
    vocabulary = {token: number for number, token in enumerate(tokens)}
    inner = Tokenizer(BPE(vocabulary, [tuple(merge.split(" ")) for merge in merges]))
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == 3]
    inner.add_special_tokens([AddedToken(token, normalized=False) for token in control])
    return GPT2TokenizerFast(
        tokenizer_object=inner,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        unk_token="<|endoftext|>",
        pad_token="<|im_end|>",
        chat_template=fields["tokenizer.chat_template"].contents(),
    )


def _tiny(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(exist_ok=True)
    smollm2 = _smollm2_tokenizer(gguf)
    sentencepiece = _sentencepiece(sorted(smollm2.get_vocab()), folder / "tokenizer.model")
    torch.set_default_dtype(torch.bfloat16)
    _vision(folder / VISION)
    for name in TINY:
        torch.manual_seed(7)
        size = len(smollm2) if name in SMOLLM2_TOKENIZER else sentencepiece
        options = _SHAPE | _OWN.get(name, {}) | {"vocab_size": size}
        config = AutoConfig.for_model(name, **options)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder / name)
        if name in SMOLLM2_TOKENIZER:
            smollm2.save_pretrained(folder / name)
        else:
            (folder / name / "tokenizer.model").write_bytes(
                (folder / "tokenizer.model").read_bytes()
            )
            tokenizer = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "legacy": True}
            (folder / name / "tokenizer_config.json").write_text(
                json.dumps(tokenizer | {"eos_token": "</s>", "unk_token": "<unk>"}),
                encoding="utf-8",
            )


def _vision(folder: Path) -> None:
    """Write a model that sees, without a tokenizer: its projector needs none."""
    from transformers import AutoConfig, AutoModelForImageTextToText

    sizes = {"intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = sizes | {"model_type": "llama", "hidden_size": 64, "vocab_size": 512}
    vision = sizes | {"hidden_size": 32, "image_size": 32, "patch_size": 8}
    config = AutoConfig.for_model(
        VISION, text_config=text, vision_config=vision, image_token_id=5, pad_token_id=0
    )
    AutoModelForImageTextToText.from_config(config).save_pretrained(folder)
    images = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"longest_edge": 64}}
    (folder / "preprocessor_config.json").write_text(
        json.dumps(images | {"max_image_size": {"longest_edge": 32}}), encoding="utf-8"
    )


def _sentencepiece(words: list[str], path: Path) -> int:
    """Train a tokenizer on words and write it; return how many tokens it has."""
    from sentencepiece import SentencePieceTrainer

    plain = [word.strip("Ġ") for word in words if word.strip("Ġ").isalpha()]
    lines = [" ".join(plain[start : start + 20]) for start in range(0, 8000, 20)]
    size = 512
    with path.open("wb") as file:
        SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=file, vocab_size=size, model_type="bpe",
            byte_fallback=True, minloglevel=2,
            user_defined_symbols="<|endoftext|>",  # llama.cpp looks for it in every Phi-3.
        )  # fmt: skip
    return size


if __name__ == "__main__":
    {"smollm2": _smollm2, "tiny": _tiny}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
