"""Embeddings by transformers alone; run as a script in the converter's environment."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt


def embed_by_transformers(
    python: Path, checkpoint: Path, texts: list[str]
) -> npt.NDArray[np.float32]:
    """Return the mean of each text's token vectors, of length 1, with the checkpoint's tokenizer.

    Returns:
        float32 [n_texts, n_embd].
    """
    command = [str(python), "-I", __file__, str(checkpoint)]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.array(json.loads(done.stdout), np.float32)


def main() -> None:
    """Embed the texts that stand on stdin."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = sys.argv[1]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    batch = tokenizer(json.load(sys.stdin), padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][:, :, None]
    means = (states * mask).sum(1) / mask.sum(1)
    json.dump((means / means.norm(dim=1, keepdim=True)).tolist(), sys.stdout)


if __name__ == "__main__":
    main()
