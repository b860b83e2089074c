"""Whole states of sequences in a memory with a sliding window, which can be cut and shared.

Of the layers with a window llama.cpp saves the last cells alone: all that going on takes. Those
before them it saves as the last ones of a shorter sequence. So a state is here what llama.cpp
gives, and behind it, window by window, what it gives of these layers for ever shorter beginnings.
"""

import ctypes
import struct
from typing import Any

# Architectures with a window of llama.cpp's LLAMA_SWA_TYPE_STANDARD and its memory for two kinds of
# layers; others have more in it.
ARCHITECTURES = frozenset({"cohere2", "exaone4", "gemma2", "gemma3", "gpt-oss", "olmo2"})
# LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY: the layers with a window alone.
_WINDOW_ONLY = 1
_SIZE = struct.Struct("<Q")


class SlidingState:
    """Saves and restores sequences.

    Args:
        api: llama.cpp's functions.
        context: The context.
        n_swa: How far the window reaches, in tokens.
        spares: Two sequence numbers that hold nothing between calls.
    """

    def __init__(self, api: Any, context: Any, n_swa: int, spares: tuple[int, int]) -> None:
        self._api = api
        self._context = context
        self._memory = api.llama_get_memory(context)
        self._n_swa = n_swa
        self._spare, self._keeper = spares

    def save(self, seq_id: int, max_bytes: int) -> memoryview | None:
        """Copy a sequence's state; None where it takes more than `max_bytes`.

        Every cell of the sequence has to be there.
        """
        state = bytearray(self._part(seq_id, 0))
        end = self._first_in_window(seq_id)
        while end > 0 and len(state) <= max_bytes:
            self._api.llama_memory_seq_cp(self._memory, seq_id, self._spare, 0, end)
            state += self._part(self._spare, _WINDOW_ONLY)
            end = self._first_in_window(self._spare)
            self._api.llama_memory_seq_rm(self._memory, self._spare, -1, -1)
        return memoryview(state) if len(state) <= max_bytes else None

    def load(self, seq_id: int, twin: int, state: memoryview) -> bool:
        """Give an empty sequence a saved state; says whether it fits.

        The windows come in the order of their tokens, so that the cells lie as they lay. What one
        sequence alone holds llama.cpp gives to others as soon as it is behind the window, so two
        hold what is there already while more is read.

        Args:
            seq_id: The sequence.
            twin: The number that holds the same cells; it is empty, too.
            state: What `save` returned.
        """
        parts = _parts(state)
        copy, remove = self._api.llama_memory_seq_cp, self._api.llama_memory_seq_rm
        end = 0
        is_taken = bool(parts)
        for part in reversed(parts[1:]):
            is_taken = is_taken and self._read(self._spare, part, _WINDOW_ONLY)
            is_next = self._api.llama_memory_seq_pos_min(self._memory, self._spare) == end
            is_taken = is_taken and is_next
            end = 1 + self._api.llama_memory_seq_pos_max(self._memory, self._spare)
            for holder in (twin, self._keeper):
                copy(self._memory, self._spare, holder, -1, -1)
            remove(self._memory, self._spare, -1, -1)
        is_taken = is_taken and self._read(seq_id, parts[0], 0)
        is_next = self._api.llama_memory_seq_pos_min(self._memory, seq_id) == end
        copy(self._memory, twin, seq_id, -1, -1)
        copy(self._memory, seq_id, twin, -1, -1)
        remove(self._memory, self._keeper, -1, -1)
        return is_taken and is_next

    def _first_in_window(self, seq_id: int) -> int:
        last: int = self._api.llama_memory_seq_pos_max(self._memory, seq_id)
        return max(0, last + 1 - self._n_swa)

    def _part(self, seq_id: int, flags: int) -> bytes:
        size = self._api.llama_state_seq_get_size_ext(self._context, seq_id, flags)
        buffer = (ctypes.c_uint8 * size)()
        self._api.llama_state_seq_get_data_ext(self._context, buffer, size, seq_id, flags)
        return _SIZE.pack(size) + bytes(buffer)

    def _read(self, seq_id: int, part: memoryview, flags: int) -> bool:
        size = len(part)
        source = (ctypes.c_uint8 * size).from_buffer(part)
        read: int = self._api.llama_state_seq_set_data_ext(
            self._context, source, size, seq_id, flags
        )
        return read == size


def _parts(state: memoryview) -> list[memoryview]:
    """Return what stands behind each size; nothing where the state is cut short."""
    parts = []
    while state:
        if len(state) < _SIZE.size:
            return []
        (size,) = _SIZE.unpack(state[: _SIZE.size])
        part, state = state[_SIZE.size : _SIZE.size + size], state[_SIZE.size + size :]
        if len(part) < size:
            return []
        parts.append(part)
    return parts
