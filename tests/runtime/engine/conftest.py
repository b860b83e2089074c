"""An engine whose texts rounding does not change."""

from collections.abc import Iterator

import pytest

from runtime.engine.adapters import AdapterFile
from runtime.engine.attention import AttentionOptions
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.weights import Weights
from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.tiny_lora import write_tiny_lora

_HEAD_SIZE = 32


@pytest.fixture(scope="session")
def exact_options(binding: None, tmp_path_factory: pytest.TempPathFactory) -> EngineOptions:
    """A tiny model with two adapters, one of them inside a larger file; none applied unasked.

    Where weights, cache and attention are all float32, another shape of the batch or another
    order of the cells moves a logit by a millionth. With quantized weights each layer rounds its
    input to 8 bits, and the same move can grow to a whole unit, as much as the quantization itself.
    """
    folder = tmp_path_factory.mktemp("exact")
    path = folder / "tiny.gguf"
    write_tiny_llama(path, head_size=_HEAD_SIZE, num_layers=2)
    for seed, name in enumerate(("one", "two"), 1):
        write_tiny_lora(folder / f"{name}.gguf", seed=seed, n_embd=2 * _HEAD_SIZE)
    content = (folder / "two.gguf").read_bytes()
    (folder / "inside").write_bytes(bytes(4096) + content + bytes(100))
    return EngineOptions(
        Weights(path, 0, path.stat().st_size),
        n_ctx=1024,
        n_threads=1,
        attention=AttentionOptions("f32", "f32", flash_attn="off"),
        adapters=(
            AdapterFile(folder / "one.gguf", "one.gguf", scale=0.0),
            AdapterFile(folder / "inside", "two.gguf", 4096, 0.0),
        ),
    )


@pytest.fixture(scope="session")
def exact(exact_options: EngineOptions) -> Iterator[Engine]:
    """The engine, shared by all tests: what came before must not matter."""
    engine = Engine.start(exact_options)
    engine.wait_until_loaded()
    yield engine
    engine.stop()
