"""The loaded LoRA adapters of a model, and applying some of them to a context."""

import ctypes
from collections.abc import Sequence as ReadOnlyList
from typing import Any

from runtime.engine.adapters import NO_ADAPTERS, AdapterFile, AdapterSet
from runtime.engine.c_file import with_c_file
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.errors import DamagedFileError, UnsupportedError

# What llama.cpp's reasons contain where an adapter was made for another model.
_MISMATCHES = ("mismatch", "does not exist in base model", "incorrect shape")


class LoraAdapters:
    """Native adapters by number; the model frees them with itself."""

    def __init__(self, api: Any, handles: list[Any]) -> None:
        self._api = api
        self._handles = handles
        self._applied = NO_ADAPTERS

    @classmethod
    def load(cls, llama: Llama, model: Model, files: ReadOnlyList[AdapterFile]) -> "LoraAdapters":
        """Read the adapters into memory.

        Raises:
            DamagedFileError: A file is no sound adapter.
            UnsupportedError: An adapter is for another model, or of a kind that only acts from
                certain words on.
        """
        return cls(llama.api, [_load(llama, model, file) for file in files])

    def apply(self, context: Any, adapters: AdapterSet) -> None:
        """Let the next batches of a context be computed with these adapters and no others."""
        if adapters == self._applied:
            return
        count = len(adapters)
        handles = (type(self._handles[0]) * count)(*(self._handles[one.id] for one in adapters))
        scales = (ctypes.c_float * count)(*(one.scale for one in adapters))
        self._api.llama_set_adapters_lora(context, handles, count, scales)
        self._applied = adapters


def _load(llama: Llama, model: Model, file: AdapterFile) -> Any:
    def load() -> Any:
        return with_c_file(
            file.path,
            file.offset,
            lambda pointer: llama.api.llama_adapter_lora_init_from_file_ptr(model.handle, pointer),
        )

    handle = load()
    if not handle:
        complaints = [line for line in llama.why(load) if "failed to apply lora" in line]
        reason = " ".join(complaints[-1:]).partition("adapter: ")[2].partition(" (hint")[0]
        if any(mismatch in reason for mismatch in _MISMATCHES):
            raise UnsupportedError(
                f"The adapter {file.name} was made for another model: {reason}.",
                hint="Name one that was trained on this model.",
            )
        raise DamagedFileError(
            f"llama.cpp cannot load the adapter {file.name}: {reason or 'it gave no reason'}.",
            hint="Give a LoRA adapter in GGUF format.",
        )
    if llama.api.llama_adapter_get_alora_n_invocation_tokens(handle):
        raise UnsupportedError(
            f"The adapter {file.name} is an activated LoRA, which this version does not apply."
        )
    return handle
