"""A runner of a tiny model, for tests that give it batches themselves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.model_runner import ModelRunner
from runtime.engine.weights import Weights


@contextmanager
def tiny_runner(write: Callable[[Path], object], folder: Path) -> Iterator[ModelRunner]:
    """Load a model that `write` makes in a folder, with one thread and 256 cells."""
    path = folder / "tiny.gguf"
    write(path)
    weights = Weights(path, 0, path.stat().st_size)
    model, runner = load_model(EngineOptions(weights, n_ctx=256, max_running=1, n_threads=1))
    yield runner
    runner.close()
    model.close()
