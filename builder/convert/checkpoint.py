"""A checkpoint: a folder with a model's weights, its configuration and its tokenizer.

Everything that can be found wrong without starting the converter is found here.
"""

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from builder.convert.convertible import Convertible
from builder.convert.options import ConvertOptions
from builder.convert.safetensors import read_tensors
from builder.errors import SourceError
from runtime.errors import DamagedFileError, UnsupportedError

CONFIG = "config.json"
SCRIPT = "convert_hf_to_gguf.py"
# Any one of these tells the converter the tokens, and so do files with these suffixes.
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "tekken.json")
_TOKENIZER_SUFFIXES = (".tiktoken", ".model", ".jsonl", ".txt")
# Weights in other forms, which the converter leaves alone.
_FOREIGN = {
    ".safetensors", ".bin", ".pt", ".pth", ".gguf", ".ggml", ".onnx", ".h5", ".msgpack", ".ot",
    ".tflite", ".mlmodel", ".npz", ".zip", ".gz", ".png", ".jpg", ".gif", ".mp4", ".pdf",
}  # fmt: skip


def is_checkpoint(folder: Path) -> bool:
    """Say whether a folder looks like a checkpoint, whole or not."""
    names = [path.name for path in folder.iterdir()]
    return CONFIG in names or bool(weight_names(names) or pickle_names(names))


def weight_names(names: Iterable[str]) -> list[str]:
    """Return which of a folder's files are a model's weights as safetensors."""
    return sorted(n for n in names if n.startswith("model") and n.endswith(".safetensors"))


def small_names(names: Iterable[str]) -> list[str]:
    """Return which files of a checkpoint are read besides its weights, by their relative paths."""
    return sorted(name for name in names if _is_small(PurePosixPath(name)))


def _is_small(path: PurePosixPath) -> bool:
    if path.name.startswith(".") or len(path.parts) > 2 or path.parts[0].startswith("."):
        return False
    suffix = path.suffix.lower()
    return suffix not in _FOREIGN if len(path.parts) == 1 else suffix in (".json", ".jinja")


def pickle_names(names: Iterable[str]) -> list[str]:
    """Return which of a folder's files are a model's weights as pickles."""
    return sorted(n for n in names if n.startswith("pytorch_model") and n.endswith(".bin"))


def read_checkpoint(folder: Path, options: ConvertOptions, *, name: str = "") -> Convertible:
    """Return what is to be done with the checkpoint in a folder, once it is known to be whole.

    Args:
        folder: Where it lies.
        options: How it is to be converted.
        name: What the model is called; empty takes the folder's name.

    Raises:
        DamagedFileError: A file is cut short, or not what its name says.
        SourceError: Something is missing.
        UnsupportedError: Its weights are pickles, and nobody allowed them.
    """
    names = [path.name for path in folder.iterdir() if path.is_file()]
    weights, is_pickle = _weights(folder, names)
    if is_pickle and not options.allows_pickle:
        raise pickle_refused(folder)
    if CONFIG not in names:
        raise SourceError(f"{folder} has no {CONFIG}.", hint="Take all files of the model.")
    config = read_json(folder / CONFIG)
    if not options.is_mmproj and not _has_tokenizer(names):
        raise SourceError(
            f"{folder} has no tokenizer: neither {', '.join(TOKENIZERS)} nor the like.",
            hint="Take all files of the model.",
        )
    return Convertible(
        script=SCRIPT,
        folder=folder,
        name=name or folder.resolve().name,
        files=[*weights, *_small_files(folder)],
        num_elements=0 if is_pickle else num_elements(weights),
        architecture=_architecture(config),
        outtype=options.outtype or "auto",
        flags=["--mmproj"] if options.is_mmproj else [],
    )


def pickle_refused(folder: Path) -> UnsupportedError:
    """Return the error for weights that are pickles, where nobody allowed them."""
    return UnsupportedError(
        f"The weights in {folder} are pickles, and reading a pickle can run code that somebody "
        "hid in it.",
        hint="Take the model as safetensors, or add --allow-pickle if you trust where it comes "
        "from; even then PyTorch is told to read tensors only.",
    )


def num_elements(weights: Iterable[Path]) -> int:
    """Return how many numbers there are in safetensors files.

    Raises:
        DamagedFileError: One is cut short, or no safetensors file.
    """
    return sum(tensor.num_elements for path in weights for tensor in read_tensors(path))


def checkpoint_names(names: Iterable[str]) -> list[str]:
    """Return the files of a repository that make its checkpoint, its weights first.

    Empty where it has no weights or no configuration, neither a model's nor an adapter's. Pickles
    are taken only where there is nothing else.
    """
    known = set(names)
    weights = weight_names(known) or sorted(known & {"adapter_model.safetensors"})
    weights = weights or pickle_names(known) or sorted(known & {"adapter_model.bin"})
    is_one = weights and known & {CONFIG, "adapter_config.json"}
    return [*weights, *small_names(known)] if is_one else []


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        DamagedFileError: It holds none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedFileError(f"{path} is no JSON: {error}.") from error
    if not isinstance(content, dict):
        raise DamagedFileError(f"{path} holds no object.")
    return content


def _weights(folder: Path, names: list[str]) -> tuple[list[Path], bool]:
    """Return the files with the weights, and whether they are pickles."""
    found, is_pickle = weight_names(names), False
    if not found and "model.safetensors.index.json" not in names:
        found, is_pickle = pickle_names(names), True
    index = "pytorch_model.bin.index.json" if is_pickle else "model.safetensors.index.json"
    if index in names:
        listed = read_json(folder / index).get("weight_map")
        if not isinstance(listed, dict) or not all(isinstance(n, str) for n in listed.values()):
            raise DamagedFileError(f"{folder / index} tells of no weights.")
        found = sorted(set(listed.values()))
        missing = [name for name in found if not (folder / name).is_file()]
        if missing:
            raise SourceError(
                f"{folder} lacks {', '.join(missing)}, which {index} lists.",
                hint="Download the rest of the model.",
            )
    if not found:
        raise SourceError(
            f"{folder} holds no weights: no model.safetensors, nor parts of one.",
            hint="Name a folder with a model as Hugging Face's libraries save it, or a GGUF file.",
        )
    return [folder / name for name in found], is_pickle


def _has_tokenizer(names: list[str]) -> bool:
    return any(name in TOKENIZERS or name.endswith(_TOKENIZER_SUFFIXES) for name in names)


def _small_files(folder: Path) -> list[Path]:
    """Return what the converter may read besides the weights: settings, tokenizers, the card."""
    found = (path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.is_file())
    names = small_names(path.relative_to(folder).as_posix() for path in found)
    return [folder / name for name in names]


def _architecture(config: dict[str, Any]) -> str:
    found = config.get("architectures")
    return str(found[0]) if isinstance(found, list) and found else ""
