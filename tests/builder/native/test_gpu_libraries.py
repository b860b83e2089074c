"""What a kit with GPU plugins has beside them."""

import ctypes
from pathlib import Path

import pytest

from builder.native.gpu_libraries import gpu_libraries, memory_library
from builder.targets import host_target
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.weights import Weights

N_CTX = 512


class _Row(ctypes.Structure):
    _fields_ = (("device", ctypes.c_void_p), ("bytes", ctypes.c_size_t))


def test_no_plugins_no_libraries() -> None:
    """A kit for the processor has nothing more than before."""
    assert gpu_libraries(host_target(), []) == []


@pytest.mark.usefixtures("binding")
def test_memory_is_told(gguf: Path) -> None:
    """All of a context lies in the machine's own memory here, and none of it twice."""
    options = EngineOptions(Weights(gguf, 0, gguf.stat().st_size), n_ctx=N_CTX, n_threads=1)
    model, runner = load_model(options)
    breakdown = ctypes.CDLL(str(memory_library(host_target()))).solofile_memory_breakdown
    breakdown.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    rows = (_Row * 4)()
    assert breakdown(runner.context, rows, 4) == 1
    kv_bytes = model.kv_bytes_per_token(options.attention) * N_CTX
    weights_bytes = model.header.size_bytes
    compute_bytes = rows[0].bytes - kv_bytes - weights_bytes
    assert rows[0].device is None
    # The logits of a batch alone are 49152 numbers for each of its tokens.
    assert 49152 * N_CTX * 4 < compute_bytes < 2 * 49152 * N_CTX * 4
    runner.close()
    model.close()
