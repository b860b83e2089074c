"""A program for the converter's environment: asks transformers what llama.cpp was asked.

It gets the very tokens that llama.cpp computed, computes them in float32 with the original, and
compares. Its job and its messages are those of child.py, whose modules it cannot import: in that
environment there are torch and transformers, and not what the builder needs.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# With a vocabulary of 262144, a slice in float64 takes 34 MB.
SLICE_ROWS = 16


def main() -> None:
    """Do the job that stands on stdin."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What libraries print is for the log, not for the one who reads messages.
    messages, sys.stdout = sys.stdout, sys.stderr
    try:
        result = _compare(job, lambda: _tell(messages, is_next=True))
    except (ImportError, KeyError, OSError, RuntimeError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        _tell(messages, failure=lines[0].rstrip(".:"))
        return
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")
    _tell(messages, is_done=True)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _tell(messages: IO[str], **message: Any) -> None:
    messages.write(json.dumps(message) + "\n")
    messages.flush()


def _compare(job: dict[str, Any], advance: Callable[[], None]) -> dict[str, Any]:
    import torch
    from transformers import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(job["num_threads"])
    tokens = json.loads(Path(job["tokens"]).read_text(encoding="utf-8"))
    computed = [ids[: job["max_tokens"]] for ids in tokens]
    with torch.inference_mode():
        if job["is_embedding"]:
            model = _load(job, ["AutoModel"])
            result = _compare_vectors(job, model, computed, advance)
        else:
            model = _load(job, ["AutoModelForCausalLM", "AutoModelForImageTextToText"])
            result = _compare_logits(job, model, computed, advance)
    return result | {"other_tokens": _other_tokens(job, tokens)}


def _load(job: dict[str, Any], classes: list[str]) -> Any:
    """Return the original in float32; code that came with it is never run."""
    import torch
    import transformers

    options = {
        "dtype": torch.float32,
        "trust_remote_code": False,
        "local_files_only": True,
        "attn_implementation": "eager",
    }
    if not job["allows_pickle"]:
        options["use_safetensors"] = True
    *first, last = classes
    for name in first:
        try:
            return getattr(transformers, name).from_pretrained(job["checkpoint"], **options).eval()
        except ValueError as error:
            if "Unrecognized configuration class" not in str(error):
                raise
    return getattr(transformers, last).from_pretrained(job["checkpoint"], **options).eval()


def _other_tokens(job: dict[str, Any], tokens: list[list[int]]) -> list[int]:
    """Return the numbers of the texts of which the original's tokenizer makes other tokens."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        job["checkpoint"], trust_remote_code=False, local_files_only=True
    )
    texts = zip(job["texts"], tokens, strict=True)
    return [number for number, (text, ids) in enumerate(texts) if tokenizer(text).input_ids != ids]


def _compare_logits(
    job: dict[str, Any], model: Any, texts: list[list[int]], advance: Callable[[], None]
) -> dict[str, Any]:
    import torch

    num_rows = sum(map(len, texts))
    theirs = np.memmap(job["outputs"], np.float32, "r").reshape(num_rows, -1)
    num_same, divergence, row = 0, 0.0, 0
    for tokens in texts:
        logits = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0].numpy()
        for start in range(0, len(tokens), SLICE_ROWS):
            ours = logits[start : start + SLICE_ROWS]
            other = theirs[row : row + len(ours)]
            num_same += same_choices(ours, other)
            divergence += sum_of_divergences(ours, other)
            row += len(ours)
        advance()
    return {
        "num_positions": num_rows,
        "top1": num_same / num_rows,
        "mean_kl": divergence / num_rows,
    }


def same_choices(original: Floats, other: Floats) -> int:
    """Return in how many rows the likeliest token is the same; float32 [n_rows, n_vocab] each."""
    width = min(original.shape[1], other.shape[1])
    choices = original[:, :width].argmax(axis=1), other[:, :width].argmax(axis=1)
    return int((choices[0] == choices[1]).sum())


def sum_of_divergences(original: Floats, other: Floats) -> float:
    """Return the Kullback-Leibler divergence of `other` from `original`, in nats, over all rows.

    A vocabulary may be padded on one side; what only one of them has is left out.
    """
    width = min(original.shape[1], other.shape[1])
    true, guessed = _log_softmax(original[:, :width]), _log_softmax(other[:, :width])
    return float((np.exp(true) * (true - guessed)).sum())


def _log_softmax(logits: Floats) -> npt.NDArray[np.float64]:
    values = logits.astype(np.float64)
    values -= values.max(axis=1, keepdims=True)
    values -= np.log(np.exp(values).sum(axis=1, keepdims=True))
    return values


def _compare_vectors(
    job: dict[str, Any], model: Any, texts: list[list[int]], advance: Callable[[], None]
) -> dict[str, Any]:
    import torch

    theirs = np.memmap(job["outputs"], np.float32, "r").reshape(len(texts), -1)
    pooling = own_pooling(Path(job["checkpoint"])) or job["pooling"]
    cosines = []
    for tokens, other in zip(texts, theirs, strict=True):
        states = model(input_ids=torch.tensor([tokens])).last_hidden_state[0].numpy()
        cosines.append(cosine(pooled(states, pooling), other))
        advance()
    return {"num_texts": len(texts), "min_cosine": min(cosines)}


def own_pooling(checkpoint: Path) -> str:
    """Return the pooling that a checkpoint of sentence-transformers names; empty for none."""
    try:
        facts = json.loads((checkpoint / "1_Pooling/config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    names = {"mean_tokens": "mean", "cls_token": "cls", "lasttoken": "last"}
    return next((name for key, name in names.items() if facts.get(f"pooling_mode_{key}")), "")


def pooled(states: Floats, pooling: str) -> Floats:
    """Return a text's vector, float32 [n_embd], from those of its tokens [n_tokens, n_embd]."""
    rows = {"cls": states[:1], "last": states[-1:]}
    vector: Floats = rows.get(pooling, states).mean(axis=0)
    return vector


def cosine(one: Floats, other: Floats) -> float:
    """Return the cosine of the angle between two vectors."""
    return float(np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other))


if __name__ == "__main__":
    main()
