"""What a loaded GGUF's header says, as llama.cpp tells it: values as texts, and the facts of it."""

import ctypes
import re
from collections.abc import Callable
from typing import Any

# llama.cpp spells sizes out and adds bits per weight: `Q4_K - Medium`, `IQ2_XS - 2.3125 bpw`.
_SIZE = re.compile(r"^(?:\(guessed\) )?(?:all )?(\w+)(?: - (Small|Medium|Large)\b)?")


class ModelHeader:
    """The header of a loaded model; lists, such as the vocabulary, are left out."""

    def __init__(self, api: Any, handle: Any) -> None:
        self._api = api
        self._handle = handle

    def value(self, key: str) -> str | None:
        """Return a value as text, or None."""
        return self._text(self._api.llama_model_meta_val_str, key.encode())

    def items(self) -> dict[str, str]:
        """Return all values as texts, by key, in the order of the keys."""
        items = {}
        for index in range(self._api.llama_model_meta_count(self._handle)):
            key = self._text(self._api.llama_model_meta_key_by_index, index)
            value = self._text(self._api.llama_model_meta_val_str_by_index, index)
            if key is not None and value is not None:
                items[key] = value
        return dict(sorted(items.items()))

    @property
    def architecture(self) -> str:
        """The model's architecture, by llama.cpp's name."""
        return self.value("general.architecture") or ""

    @property
    def n_params(self) -> int:
        """How many numbers its tensors hold."""
        count: int = self._api.llama_model_n_params(self._handle)
        return count

    @property
    def size_bytes(self) -> int:
        """The size of its tensors."""
        size: int = self._api.llama_model_size(self._handle)
        return size

    @property
    def file_type(self) -> str:
        """The file's type, as llama.cpp spells it."""
        name: bytes = self._api.llama_ftype_name(self._api.llama_model_ftype(self._handle))
        return name.decode()

    @property
    def quantization(self) -> str:
        """The same as file names have it: `Q4_K_M`, `F16`."""
        match = _SIZE.match(self.file_type)
        assert match, "llama.cpp's names begin with a word"
        return match[1] if match[2] is None else f"{match[1]}_{match[2][0]}"

    def _text(self, read: Callable[..., int], which: bytes | int) -> str | None:
        size = 256
        while True:
            buffer = ctypes.create_string_buffer(size)
            needed = read(self._handle, which, buffer, size)
            if needed < 0:
                return None
            if needed < size:
                return buffer.value.decode(errors="replace")
            size = needed + 1
