"""The engine with the real model, in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.weights import Weights


@pytest.fixture(scope="session")
def engine(binding: None, gguf: Path) -> Iterator[Engine]:
    """A loaded engine that works on four requests at once."""
    weights = Weights(gguf, 0, gguf.stat().st_size)
    engine = Engine.start(EngineOptions(weights, n_ctx=1024, max_running=4, n_threads=1))
    engine.wait_until_loaded()
    yield engine
    engine.stop()
