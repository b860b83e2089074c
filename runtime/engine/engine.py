"""The engine as its callers see it: a thread that takes requests, and tells what comes of them."""

import logging
import threading
from collections.abc import Callable
from collections.abc import Sequence as ReadOnlyList
from typing import TYPE_CHECKING

from msgspec.structs import replace

from runtime.engine.adapters import AdapterFile, Adapters
from runtime.engine.context_size import ContextSizeError
from runtime.engine.drafting import Drafter
from runtime.engine.embedding import (
    EmbeddingEvent,
    EmbeddingJob,
    EmbeddingRequest,
    check_request,
)
from runtime.engine.image_span import Prompt
from runtime.engine.inbox import Inbox
from runtime.engine.load_progress import LoadProgress
from runtime.engine.loading import EngineOptions, load_drafter, load_model, load_vision
from runtime.engine.loading_model import LoadingModel
from runtime.engine.loop import EngineLoop
from runtime.engine.metrics import Metrics
from runtime.engine.model import Model
from runtime.engine.pins import Pins
from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.prompt_cache import PromptCacheOptions
from runtime.engine.scheduler import Scheduler
from runtime.engine.sequence import Event, GenerationRequest, Sequence
from runtime.engine.types import EmbeddingShape, Runner
from runtime.errors import AppError, RequestError

if TYPE_CHECKING:
    from runtime.engine.vision import Vision

logger = logging.getLogger(__name__)


class BlindError(RequestError):
    """A request has images, and there is no projector that reads them."""

    def __init__(self) -> None:
        super().__init__(
            "This model takes no images.",
            hint="Send text alone, or start the server with the model's projector by --mmproj.",
        )


class NoTextError(RequestError):
    """A request asks a model for text that was made for embeddings or to rank."""

    def __init__(self) -> None:
        super().__init__(
            "This model generates no text.", hint="It was made for embeddings or to rank."
        )


class Engine:
    """Generates text and makes embeddings for any number of requests at once.

    Attributes:
        error: Why it cannot work: loading failed, or its thread did later.
        pins: The prompts that are to stay in memory.

    Args:
        load: Loads the model and its runner; called once, on the engine's thread.
        max_running: Requests worked on at once.
        adapters: The LoRA adapters that the runner has.
        load_drafter: Makes what guesses the model's tokens, on the same thread; None guesses none.
        load_vision: Loads what reads images, on the same thread; None reads none.
        prompt_cache: Where prompts are kept on disk; None keeps none.
        max_queue: Requests that may wait beside those; None is no limit.
    """

    def __init__(
        self,
        load: Callable[[], tuple[Model, Runner]],
        *,
        max_running: int,
        adapters: tuple[AdapterFile, ...] = (),
        load_drafter: Callable[[Model, Runner], Drafter | None] | None = None,
        load_vision: "Callable[[Model, Runner], Vision | None] | None" = None,
        prompt_cache: PromptCacheOptions | None = None,
        max_queue: int | None = None,
    ) -> None:
        self._load = load
        self.adapters = Adapters(adapters)
        self._max_running = max_running
        self._load_drafter = load_drafter
        self._load_vision = load_vision
        self._prompt_cache = prompt_cache
        self._progress: LoadProgress | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._inbox = Inbox(None if max_queue is None else max_running + max_queue)
        self._metrics = Metrics()
        self._is_loaded = threading.Event()
        self._model: Model | None = None
        self._runner: Runner | None = None
        self._scheduler: Scheduler | None = None
        self._vision: Vision | None = None
        self.error: AppError | None = None
        self.pins = Pins()

    @classmethod
    def start(cls, options: EngineOptions, loading: LoadingModel | None = None) -> "Engine":
        """Start in the background.

        Args:
            options: What to run.
            loading: The model, where its loading has begun.
        """
        engine = cls(
            lambda: load_model(options, loading),
            max_running=options.max_running,
            adapters=options.adapters,
            load_drafter=lambda model, runner: load_drafter(options, model, runner),
            load_vision=lambda model, runner: load_vision(options, model, runner),
            prompt_cache=options.prompt_cache,
            max_queue=options.max_queue,
        )
        engine._progress = LoadProgress(options.weights, options.loading)
        engine.start_thread()
        return engine

    def start_thread(self) -> None:
        """Start the engine's thread."""
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded."""
        return self._is_loaded.is_set() and self.error is None

    @property
    def load_progress(self) -> float | None:
        """The share of the weights that is in memory; None where that is not known."""
        return self._progress.share if self._progress else None

    def wait_until_loaded(self) -> None:
        """Wait for the model.

        Raises:
            AppError: It could not be loaded.
        """
        self._is_loaded.wait()
        if self.error:
            raise self.error

    @property
    def model(self) -> Model:
        """The loaded model; waits for it."""
        self.wait_until_loaded()
        assert self._model is not None, "loaded without an error"
        return self._model

    @property
    def sees(self) -> bool:
        """Whether prompts may have images; waits for the model."""
        self.wait_until_loaded()
        return self._vision is not None

    def read(self, parts: ReadOnlyList[str | bytes], *, add_special: bool) -> Prompt:
        """Return a prompt of texts and images; each new image takes its time.

        Args:
            parts: Texts, in which names of special tokens are read as those, and images' files.
            add_special: Add the tokens the model wants around a text.

        Raises:
            RequestError: The model sees no images, or one cannot be read.
            ContextSizeError: The prompt does not fit into the context.
        """
        if not self.sees:
            raise BlindError
        assert self._vision is not None, "it sees"
        return self._vision.read(parts, add_special=add_special, n_ctx=self.n_ctx)

    @property
    def n_ctx(self) -> int:
        """Tokens of context; waits for the model."""
        return self._loaded_runner().n_ctx

    @property
    def n_batch(self) -> int:
        """Tokens in one batch at most; waits for the model."""
        return self._loaded_runner().n_batch

    @property
    def n_threads(self) -> int:
        """Threads that compute; waits for the model."""
        return self._loaded_runner().n_threads

    @property
    def max_running(self) -> int:
        """Requests worked on at once."""
        return self._max_running

    def running(self) -> list[Sequence]:
        """Return the requests that are worked on just now; read them, and do not change them."""
        return list(self._scheduler.running) if self._scheduler else []

    @property
    def metrics(self) -> Metrics:
        """What was done up to the last batch; read it, and do not change it."""
        metrics = self._metrics
        num_waiting = max(0, self._inbox.num_unfinished - metrics.num_running)
        return replace(metrics, num_waiting=num_waiting)

    def submit(self, request: GenerationRequest, emit: Callable[[Event], None]) -> Sequence:
        """Queue a request.

        Args:
            request: What to generate.
            emit: Told every event, on the engine's thread; the last is Finished or Failed.

        Returns:
            What `cancel` takes.

        Raises:
            ContextSizeError: The prompt is longer than the context.
            NoTextError: The model was not made to generate text.
            RequestError: The prompt is empty, or an adapter is not there.
            QueueFullError: As many requests wait as may.
        """
        if not self.model.generates_text:
            raise NoTextError
        if not request.prompt:
            raise RequestError("The prompt is empty.")
        if len(request.prompt) >= self.n_ctx:
            raise ContextSizeError(len(request.prompt), self.n_ctx)
        sequence = Sequence(request, emit, self.adapters.resolve(request.lora))
        self._inbox.put(sequence)
        return sequence

    @property
    def embeds(self) -> EmbeddingShape:
        """How the model embeds; waits for it."""
        return self._loaded_runner().embeds

    def embed(
        self, request: EmbeddingRequest, emit: Callable[[EmbeddingEvent], None]
    ) -> EmbeddingJob:
        """Queue inputs to embed.

        Args:
            request: The inputs.
            emit: Told the one event, on the engine's thread.

        Returns:
            What `cancel` takes.

        Raises:
            InputSizeError: An input is longer than what is computed at once.
            RequestError: There is no input, an empty one, one with an unknown token, or no such
                norm.
        """
        check_request(request, self.embeds, self.model.n_vocab)
        job = EmbeddingJob(request, emit)
        self._inbox.put(job)
        return job

    def cancel(self, request: Sequence | EmbeddingJob) -> None:
        """Stop working on a request before the next batch; a finished one is left as it is."""
        self._inbox.cancel(request)

    def stop(self) -> None:
        """End the thread after the batch it computes; unfinished requests are cancelled."""
        self._inbox.stop()
        self._thread.join()

    def _loaded_runner(self) -> Runner:
        self.wait_until_loaded()
        assert self._runner is not None, "loaded without an error"
        return self._runner

    def _run(self) -> None:
        drafter: Drafter | None = None
        try:
            self._model, self._runner = self._load()
            if self._load_drafter:
                drafter = self._load_drafter(self._model, self._runner)
            if self._load_vision:
                self._vision = self._load_vision(self._model, self._runner)
        except AppError as error:
            self.error = error
            return
        finally:
            self._is_loaded.set()
        cache = PrefixCache(self._runner, self.pins)
        scheduler = Scheduler(self._runner, cache, max_running=self._max_running, drafter=drafter)
        self._scheduler = scheduler
        loop = EngineLoop(self._model, self._runner, cache, scheduler, self._inbox, self._publish)
        if self._prompt_cache:
            loop.use_prompt_cache(self._prompt_cache)
        try:
            loop.run()
        except Exception:
            logger.exception("The engine failed.")
            self.error = AppError("The engine failed; its log says why.", hint="Start it again.")
            loop.abandon(self.error)

    def _publish(self, metrics: Metrics) -> None:
        self._metrics = metrics
