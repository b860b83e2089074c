"""Loading what the engine runs: the model, its context, and what guesses ahead."""

import logging
from typing import TYPE_CHECKING

import msgspec

from runtime import machine
from runtime.engine.adapters import AdapterFile
from runtime.engine.attention import AttentionOptions
from runtime.engine.context_size import choose_n_ctx
from runtime.engine.draft_model import MAX_CATCH_UP, DraftModel
from runtime.engine.drafting import Drafter
from runtime.engine.embedder import embedding_shape
from runtime.engine.loading_model import LoadingModel, begin_loading_model
from runtime.engine.lora import LoraAdapters
from runtime.engine.model import Model
from runtime.engine.model_runner import ContextOptions, ModelRunner
from runtime.engine.pooling import Pooling
from runtime.engine.prompt_cache import PromptCacheOptions
from runtime.engine.speculation import SpeculationOptions
from runtime.engine.types import Runner
from runtime.engine.weights import LoadOptions, Weights
from runtime.errors import UsageError

if TYPE_CHECKING:
    from runtime.engine.vision import Vision

logger = logging.getLogger(__name__)

# Beside the running requests, how many finished ones can stay in the prefix cache.
NUM_CACHED_SEQUENCES = 8
# llama.cpp's LLAMA_MAX_SEQ.
MAX_SEQUENCES = 256


class EngineOptions(msgspec.Struct, frozen=True):
    """How the engine loads and runs the model.

    Args:
        weights: Where the GGUF lies.
        n_ctx: Tokens of context; 0 chooses by the model and the free memory.
        n_batch: Tokens in one batch at most.
        n_ubatch: Tokens computed at once at most.
        max_running: Requests worked on at once.
        max_queue: Requests that may wait beside those.
        n_threads: Threads; 0 or -1 takes the physical cores this process may use.
        n_threads_batch: Threads while reading prompts; 0 or -1 takes n_threads.
        loading: How the weights come into memory.
        attention: The KV cache's types, flash attention, and RoPE.
        adapters: LoRA adapters, by the numbers that requests name them by.
        speculation: How tokens are guessed ahead.
        draft: Where a draft model lies that guesses them; None has none.
        projector: Where a projector lies that reads images; None has none.
        prompt_cache: Where prompts are kept on disk; None keeps none.
        pooling: How embeddings are made of token vectors; None takes the model's way.

    Raises:
        UsageError: A number is out of its range.
    """

    weights: Weights
    n_ctx: int = 0
    n_batch: int = 2048
    n_ubatch: int = 512
    max_running: int = 4
    max_queue: int = 512
    n_threads: int = 0
    n_threads_batch: int = 0
    loading: LoadOptions = msgspec.field(default_factory=LoadOptions)
    attention: AttentionOptions = msgspec.field(default_factory=AttentionOptions)
    adapters: tuple[AdapterFile, ...] = ()
    speculation: SpeculationOptions = msgspec.field(default_factory=SpeculationOptions)
    draft: Weights | None = None
    projector: Weights | None = None
    prompt_cache: PromptCacheOptions | None = None
    pooling: Pooling | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that llama.cpp would end the process for, or that have no sense."""
        _check_range("parallel", self.max_running, 1, MAX_SEQUENCES - NUM_CACHED_SEQUENCES)
        # Each sequence has a token in a batch.
        _check_range("batch-size", self.n_batch, self.num_sequences)
        _check_range("ubatch-size", self.n_ubatch, 1)
        _check_range("ctx-size", self.n_ctx, 0)
        _check_range("threads", self.n_threads, -1)
        _check_range("threads-batch", self.n_threads_batch, -1)
        _check_range("max-queue", self.max_queue, 0)

    @property
    def num_sequences(self) -> int:
        """How many sequences the KV cache holds at once."""
        return self.max_running + NUM_CACHED_SEQUENCES

    def prompt_threads(self, n_threads: int) -> int:
        """Return how many threads read prompts, where `n_threads` do the rest."""
        return self.n_threads_batch if self.n_threads_batch > 0 else n_threads


def _check_range(setting: str, value: int, least: int, most: int = 2**31 - 1) -> None:
    if not least <= value <= most:
        raise UsageError(f"{setting} is {value}, and must lie from {least} to {most}.")


def load_model(
    options: EngineOptions, loading: LoadingModel | None = None
) -> tuple[Model, ModelRunner]:
    """Bring the weights into memory and make a context for them.

    Args:
        options: Which weights, and what they are for.
        loading: The model, where its loading has begun.

    Raises:
        ResourceError: They do not fit into memory, or the context does not.
        DamagedFileError: The weights are no sound GGUF, or an adapter is none.
        UnsupportedError: llama.cpp does not know the model, or it takes no KV cache of the asked
            types; or an adapter is not for it.
    """
    model = (loading or begin_loading_model(options.weights, options.loading)).result()
    llama = model.llama
    projector_bytes = options.projector.size if options.projector else 0
    host_share = model.placement.host_share(model.n_layer) if model.placement else 1
    needed = int(options.weights.size * host_share) + projector_bytes
    n_ctx = choose_n_ctx(
        options.n_ctx,
        n_ctx_train=model.n_ctx_train,
        kv_bytes_per_token=int(model.kv_bytes_per_token(options.attention) * host_share),
        free_bytes=machine.memory_available_bytes() - needed,
        most=model.placement.n_ctx_max if model.placement else None,
    )
    n_threads = options.n_threads if options.n_threads > 0 else machine.physical_cores()
    open_runner = ModelRunner.open if model.generates_text else ModelRunner.open_embedder
    runner = open_runner(
        llama,
        model,
        ContextOptions(
            n_ctx=n_ctx,
            n_batch=min(options.n_batch, n_ctx),
            n_ubatch=options.n_ubatch,
            n_seq_max=options.num_sequences,
            n_threads=n_threads,
            n_threads_batch=options.prompt_threads(n_threads),
            attention=options.attention,
            embeds=embedding_shape(model, options.pooling, min(options.n_batch, n_ctx)),
        ),
        LoraAdapters.load(llama, model, options.adapters) if options.adapters else None,
    )
    logger.info("Context of %d tokens, %d threads.", runner.n_ctx, n_threads)
    return model, runner


def load_drafter(options: EngineOptions, model: Model, runner: Runner) -> Drafter | None:
    """Make what guesses the model's tokens, and load a draft model where that is to do it.

    Raises:
        AppError: The draft model cannot be used; see `DraftModel.open`.
    """
    speculation = options.speculation
    if not (options.draft and speculation.has_draft_model and model.generates_text):
        return speculation.drafter()
    if not runner.can_cut_memory:
        logger.warning("The draft model is not used: wrong guesses cannot be cut off the memory.")
        return None
    context = ContextOptions(
        n_ctx=runner.n_ctx,
        n_batch=MAX_CATCH_UP,
        n_ubatch=MAX_CATCH_UP,
        n_seq_max=options.max_running,
        n_threads=runner.n_threads,
        n_threads_batch=options.prompt_threads(runner.n_threads),
        embeds=runner.embeds,
    )
    return speculation.drafter(
        DraftModel.open(options.draft, options.loading, model, context, speculation.draft_limits)
    )


def load_vision(options: EngineOptions, model: Model, runner: Runner) -> "Vision | None":
    """Load the projector, where there is one and the model generates text.

    Raises:
        AppError: It cannot be used; see `Vision.open`.
    """
    if not (options.projector and model.generates_text):
        return None
    # Few runs have one, and every start would wait for it.
    from runtime.engine.vision import Vision

    return Vision.open(
        model,
        options.projector,
        n_threads=options.prompt_threads(runner.n_threads),
        n_ubatch=min(options.n_ubatch, runner.n_batch),
    )
