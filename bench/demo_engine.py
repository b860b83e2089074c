"""The engine on the demo's model, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

from builder.demo import demo_source
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.speculation import SpeculationOptions
from runtime.engine.weights import Weights


@contextmanager
def demo_engine(*, n_ctx: int, n_threads: int, spec_type: str) -> Iterator[Engine]:
    """Load the model and give its engine, which is stopped at the end.

    Args:
        n_ctx: Tokens of context.
        n_threads: Threads.
        spec_type: How tokens are guessed ahead; see `SpeculationOptions`.
    """
    path = demo_source().fetch().files[0].path
    engine = Engine.start(
        EngineOptions(
            Weights(path, 0, path.stat().st_size),
            n_ctx=n_ctx,
            n_threads=n_threads,
            speculation=SpeculationOptions(spec_type=spec_type),
        )
    )
    try:
        engine.wait_until_loaded()
        yield engine
    finally:
        engine.stop()
