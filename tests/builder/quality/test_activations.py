"""What is taken for granted of ggml's structures."""

import ctypes

import pytest

from builder.quality.activations import EXPERTS_PRODUCT, PRODUCT, GgmlTensor
from runtime.engine.llama import library_folder

# `struct ggml_object`, which stands before every tensor: two sizes, a pointer, a number, padding.
_OBJECT_BYTES = 32


@pytest.mark.usefixtures("binding")
def test_the_pinned_ggml() -> None:
    """The structure is as long as the library's, and operations have the numbers it gives them."""
    ggml = ctypes.CDLL(str(next(library_folder().glob("*ggml-base.so.0"))))
    ggml.ggml_tensor_overhead.restype = ctypes.c_size_t
    assert ggml.ggml_tensor_overhead() == _OBJECT_BYTES + ctypes.sizeof(GgmlTensor)
    ggml.ggml_op_name.restype = ctypes.c_char_p
    assert ggml.ggml_op_name(PRODUCT) == b"MUL_MAT"
    assert ggml.ggml_op_name(EXPERTS_PRODUCT) == b"MUL_MAT_ID"
