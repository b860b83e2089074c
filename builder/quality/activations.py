"""What goes into a model's weights: sums of squares, as llama.cpp's imatrix tool takes them.

For processes of their own, see child.py: llama.cpp calls `Activations.on_node` for each node of a
graph, on the thread that computes it. The libraries here compute on the processor alone, so all
results lie in memory.
"""

import ctypes
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from builder.quality.imatrix_file import Sums
from runtime.errors import AppError

# Of the pinned ggml.h; the tests compare them.
PRODUCT, EXPERTS_PRODUCT = 29, 30
_F32 = 0
_MAX_DIMENSIONS = 4
_LAYERS = b"blk."
# Fewer rows are no text that goes through; llama.cpp's tool leaves them out, too.
_LEAST_ROWS = 16

_Floats = NDArray[np.float32]
T = TypeVar("T", bound=np.generic)


class GgmlTensor(ctypes.Structure):
    """`struct ggml_tensor`; there are no functions that tell most of this."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("buffer", ctypes.c_void_p),
        ("ne", ctypes.c_int64 * _MAX_DIMENSIONS),
        ("nb", ctypes.c_size_t * _MAX_DIMENSIONS),
        ("op", ctypes.c_int),
        ("op_params", ctypes.c_int32 * 16),
        ("flags", ctypes.c_int32),
        ("src", ctypes.c_void_p * 10),
        ("view_src", ctypes.c_void_p),
        ("view_offs", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("name", ctypes.c_char * 64),
        ("extra", ctypes.c_void_p),
        ("padding", ctypes.c_char * 8),
    )


@dataclass(frozen=True, slots=True)
class _Totals:
    """What went into one weight: float32 [matrices, columns], and how many rows into each."""

    squares: _Floats
    counts: _Floats


class Activations:
    """Collects what goes into the weights of a model's layers."""

    def __init__(self) -> None:
        self._totals: dict[str, _Totals] = {}
        self._failure: Exception | None = None

    def sums(self) -> dict[str, Sums]:
        """Return what was collected, by weight."""
        return {
            name: Sums(totals.squares.tobytes(), totals.counts.tobytes())
            for name, totals in self._totals.items()
        }

    def check(self) -> None:
        """Check that all of what was computed was taken, and is numbers.

        Raises:
            AppError: It is not.
        """
        if self._failure:
            raise self._failure
        if not all(np.isfinite(totals.squares).all() for totals in self._totals.values()):
            raise AppError("the model computes no numbers, but NaN or infinity")

    def on_node(self, address: int, is_question: bool, _user_data: object) -> bool:
        """Say whether a node is wanted, or take what went into it and let llama.cpp go on."""
        try:
            return self._take(address, is_question)
        except Exception as error:
            # Nothing passes through C; `check` raises it.
            self._failure = error
            return False

    def _take(self, address: int, is_question: bool) -> bool:
        node = GgmlTensor.from_address(address)
        if node.op not in (PRODUCT, EXPERTS_PRODUCT):
            return not is_question
        weight, inputs = (GgmlTensor.from_address(node.src[place]) for place in (0, 1))
        if is_question:
            return _is_wanted(node, weight, inputs)
        if node.op == PRODUCT:
            self._add(weight, inputs)
        else:
            self._add_experts(weight, inputs, GgmlTensor.from_address(node.src[2]))
        return True

    def _add(self, weight: GgmlTensor, inputs: GgmlTensor) -> None:
        num_matrices = weight.ne[2] * weight.ne[3]
        totals = self._totals_of(weight, num_matrices, num_counts=1)
        rows = _view(inputs, np.float32)
        for outer, inner in np.ndindex(rows.shape[:2]):
            matrix = outer % weight.ne[3] * weight.ne[2] + inner % weight.ne[2]
            part = rows[outer, inner]
            totals.squares[matrix] += np.einsum("rc,rc->c", part, part)
        totals.counts[:] += rows.size // rows.shape[-1] // num_matrices

    def _add_experts(self, weight: GgmlTensor, inputs: GgmlTensor, chosen: GgmlTensor) -> None:
        """Add each token's row to the experts it went to.

        The input is [tokens, experts used or 1, columns], and `chosen` [tokens, experts used].
        """
        totals = self._totals_of(weight, weight.ne[2], num_counts=weight.ne[2])
        rows, experts = _view(inputs, np.float32)[0], _view(chosen, np.int32)[0, 0]
        for rank in range(experts.shape[1]):
            squares = np.square(rows[:, rank % rows.shape[1]])
            order = np.argsort(experts[:, rank], kind="stable")
            found, starts, counts = np.unique(
                experts[order, rank], return_index=True, return_counts=True
            )
            totals.squares[found] += np.add.reduceat(squares[order], starts)
            totals.counts[found] += counts

    def _totals_of(self, weight: GgmlTensor, num_matrices: int, *, num_counts: int) -> _Totals:
        name = weight.name.decode()
        if name not in self._totals:
            self._totals[name] = _Totals(
                np.zeros((num_matrices, weight.ne[0]), np.float32),
                np.zeros(num_counts, np.float32),
            )
        return self._totals[name]


def _is_wanted(node: GgmlTensor, weight: GgmlTensor, inputs: GgmlTensor) -> bool:
    is_matrix = node.op == EXPERTS_PRODUCT or inputs.ne[1] >= _LEAST_ROWS
    return bool(is_matrix and inputs.type == _F32 and weight.name.startswith(_LAYERS))


def _view(tensor: GgmlTensor, kind: type[T]) -> NDArray[T]:
    """Return a tensor's data where they lie, slowest dimension first."""
    shape, strides = tuple(tensor.ne)[::-1], tuple(tensor.nb)[::-1]
    size = sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
    data = (ctypes.c_char * (size + np.dtype(kind).itemsize)).from_address(tensor.data)
    return np.ndarray(shape, kind, data, strides=strides)
