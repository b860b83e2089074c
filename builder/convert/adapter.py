"""A LoRA adapter as PEFT saves it: a folder with two small matrices for each that it changes."""

from pathlib import Path

from builder.convert.checkpoint import CONFIG, num_elements, pickle_refused, read_json
from builder.convert.convertible import Convertible
from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from runtime.errors import UnsupportedError

ADAPTER_CONFIG = "adapter_config.json"
_SCRIPT = "convert_lora_to_gguf.py"
_WEIGHTS = "adapter_model.safetensors"
_PICKLE = "adapter_model.bin"


def is_adapter(folder: Path) -> bool:
    """Say whether a folder looks like an adapter, whole or not."""
    return (folder / ADAPTER_CONFIG).is_file()


def base_model(folder: Path) -> str:
    """Return what an adapter says it was trained on: a folder or a repository; may be empty.

    Raises:
        DamagedFileError: Its configuration is no JSON.
    """
    return str(read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path") or "")


def read_adapter(
    folder: Path, base: Path, options: ConvertOptions, *, name: str = ""
) -> Convertible:
    """Return what is to be done with the adapter in a folder, once it is known to be whole.

    Args:
        folder: Where it lies.
        base: The checkpoint it was trained on, of which only the configuration is read.
        options: How it is to be converted.
        name: What it is called; empty takes the folder's name.

    Raises:
        DamagedFileError: A file is cut short, or not what its name says.
        SourceError: Something is missing.
        UnsupportedError: It is no LoRA, or its weights are pickles, and nobody allowed them.
    """
    kind = str(read_json(folder / ADAPTER_CONFIG).get("peft_type") or "LORA")
    if kind != "LORA":
        raise UnsupportedError(f"{folder} holds an adapter of the kind {kind}, and no LoRA.")
    if not (base / CONFIG).is_file():
        raise SourceError(
            f"{base} has no {CONFIG}, which tells of the model {folder} was trained on.",
            hint="Name that model's folder with --base.",
        )
    weights, pickle = folder / _WEIGHTS, folder / _PICKLE
    if not weights.is_file() and pickle.is_file():
        if not options.allows_pickle:
            raise pickle_refused(folder)
    elif not weights.is_file():
        raise SourceError(f"{folder} has no {_WEIGHTS}.", hint="Take all files of the adapter.")
    is_pickle = not weights.is_file()
    return Convertible(
        script=_SCRIPT,
        folder=folder,
        name=name or folder.resolve().name,
        files=[
            pickle if is_pickle else weights,
            *(path for path in sorted(folder.glob("*.json"))),
            *(path for path in [folder / "README.md"] if path.is_file()),
            base / CONFIG,
        ],
        num_elements=0 if is_pickle else num_elements([weights]),
        architecture=str(read_json(base / CONFIG).get("architectures") or ""),
        outtype=options.outtype or "f32",
        base_config=base / CONFIG,
    )
