"""Bringing the weights into memory beside whatever else a start has to do."""

from concurrent.futures import Future, ThreadPoolExecutor

from runtime import machine
from runtime.engine.context_size import check_weights_fit
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.start_library import make_room
from runtime.engine.weights import LoadOptions, Weights

LoadingModel = Future[Model]


def begin_loading_model(weights: Weights, options: LoadOptions) -> LoadingModel:
    """Begin to load a model on a thread of its own.

    Returns:
        The model to be. Its `result` raises ResourceError where the weights do not fit into memory,
        and what `Model.load` does.
    """
    return ThreadPoolExecutor(1, "loading").submit(_load, weights, options)


def _load(weights: Weights, options: LoadOptions) -> Model:
    llama = Llama.load()
    # A vocabulary is some 100,000 pieces.
    make_room()
    total_bytes = machine.memory_total_bytes()
    if options.offload:
        from runtime.engine.offload.devices import gpu_memory_bytes

        total_bytes += gpu_memory_bytes()
    check_weights_fit(weights.size, total_bytes)
    return Model.load(llama, weights, options)
