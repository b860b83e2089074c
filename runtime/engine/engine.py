"""The loop: one thread that owns the context, computes batches, and tells requests' callers."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from runtime import machine
from runtime.engine.adapters import AdapterFile, Adapters
from runtime.engine.attention import AttentionOptions
from runtime.engine.context_size import check_weights_fit, choose_n_ctx
from runtime.engine.draft_model import MAX_CATCH_UP, DraftModel
from runtime.engine.drafting import Drafter
from runtime.engine.embedder import embedding_shape
from runtime.engine.embedding import (
    EmbeddingEvent,
    EmbeddingJob,
    EmbeddingQueue,
    EmbeddingRequest,
    check_inputs,
)
from runtime.engine.inbox import Inbox, Request
from runtime.engine.limits import DeadlineError, has_generated_long_enough, is_late
from runtime.engine.llama import Llama
from runtime.engine.lora import LoraAdapters
from runtime.engine.metrics import Metrics
from runtime.engine.model import LoadOptions, Model, Weights
from runtime.engine.model_runner import ContextOptions, ModelRunner
from runtime.engine.pooling import Pooling
from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.prompt_cache import PromptCache, PromptCacheOptions
from runtime.engine.scheduler import Scheduler, Work
from runtime.engine.sequence import Event, Failed, Finished, GenerationRequest, Sequence
from runtime.engine.speculation import SpeculationOptions
from runtime.engine.types import EmbeddingShape, OutOfCellsError, Runner
from runtime.errors import AppError, RequestError

logger = logging.getLogger(__name__)

# Beside the running requests, how many finished ones can stay in the prefix cache.
NUM_CACHED_SEQUENCES = 8
# How long nothing must have been asked before a prompt is saved.
SAVE_AFTER_S = 1.0


class ContextSizeError(RequestError):
    """A prompt is longer than the context.

    Args:
        num_prompt_tokens: The prompt's length.
        n_ctx: The context's.
    """

    def __init__(self, num_prompt_tokens: int, n_ctx: int) -> None:
        self.num_prompt_tokens = num_prompt_tokens
        self.n_ctx = n_ctx
        super().__init__(
            f"The prompt has {num_prompt_tokens} tokens, and the context holds {n_ctx}.",
            hint="Shorten it, or start with a larger --ctx-size.",
        )


class NoTextError(RequestError):
    """A request asks a model for text that was made for embeddings or to rank."""

    def __init__(self) -> None:
        super().__init__(
            "This model generates no text.", hint="It was made for embeddings or to rank."
        )


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the engine loads and runs the model.

    Args:
        weights: Where the GGUF lies.
        n_ctx: Tokens of context; 0 chooses by the model and the free memory.
        n_batch: Tokens in one batch at most.
        n_ubatch: Tokens computed at once at most.
        max_running: Requests worked on at once.
        max_queue: Requests that may wait beside those.
        n_threads: Threads; 0 takes the physical cores this process may use.
        n_threads_batch: Threads while reading prompts; 0 takes n_threads.
        loading: How the weights come into memory.
        attention: The KV cache's types, flash attention, and RoPE.
        adapters: LoRA adapters, by the numbers that requests name them by.
        speculation: How tokens are guessed ahead.
        draft: Where a draft model lies that guesses them; None has none.
        prompt_cache: Where prompts are kept on disk; None keeps none.
        pooling: How embeddings are made of token vectors; None takes the model's way.
    """

    weights: Weights
    n_ctx: int = 0
    n_batch: int = 2048
    n_ubatch: int = 512
    max_running: int = 4
    max_queue: int = 512
    n_threads: int = 0
    n_threads_batch: int = 0
    loading: LoadOptions = field(default_factory=LoadOptions)
    attention: AttentionOptions = field(default_factory=AttentionOptions)
    adapters: tuple[AdapterFile, ...] = ()
    speculation: SpeculationOptions = field(default_factory=SpeculationOptions)
    draft: Weights | None = None
    prompt_cache: PromptCacheOptions | None = None
    pooling: Pooling | None = None


def load_model(options: EngineOptions) -> tuple[Model, ModelRunner]:
    """Map the weights and make a context for them.

    Raises:
        ResourceError: They do not fit into memory, or the context does not.
        DamagedFileError: The weights are no sound GGUF, or an adapter is none.
        UnsupportedError: llama.cpp does not know the model, or it takes no KV cache of the asked
            types; or an adapter is not for it.
    """
    check_weights_fit(options.weights.size, machine.memory_total_bytes())
    llama = Llama.load()
    model = Model.load(llama, options.weights, options.loading)
    n_ctx = choose_n_ctx(
        options.n_ctx,
        n_ctx_train=model.n_ctx_train,
        kv_bytes_per_token=model.kv_bytes_per_token(options.attention),
        free_bytes=machine.memory_available_bytes() - options.weights.size,
    )
    n_threads = options.n_threads or machine.physical_cores()
    open_runner = ModelRunner.open if model.generates_text else ModelRunner.open_embedder
    runner = open_runner(
        llama,
        model,
        ContextOptions(
            n_ctx=n_ctx,
            n_batch=min(options.n_batch, n_ctx),
            n_ubatch=options.n_ubatch,
            n_seq_max=options.max_running + NUM_CACHED_SEQUENCES,
            n_threads=n_threads,
            n_threads_batch=options.n_threads_batch or n_threads,
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
        n_threads_batch=options.n_threads_batch or runner.n_threads,
        embeds=runner.embeds,
    )
    return speculation.drafter(
        DraftModel.open(options.draft, options.loading, model, context, speculation.draft_limits)
    )


class Engine:
    """Generates text and makes embeddings for any number of requests at once.

    Args:
        load: Loads the model and its runner; called once, on the engine's thread.
        max_running: Requests worked on at once.
        adapters: The LoRA adapters that the runner has.
        load_drafter: Makes what guesses the model's tokens, on the same thread; None guesses none.
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
        prompt_cache: PromptCacheOptions | None = None,
        max_queue: int | None = None,
    ) -> None:
        self._load = load
        self.adapters = Adapters(adapters)
        self._max_running = max_running
        self._load_drafter = load_drafter
        self._prompt_cache = prompt_cache
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._inbox = Inbox(None if max_queue is None else max_running + max_queue)
        self._metrics = Metrics()
        self._is_loaded = threading.Event()
        self._model: Model | None = None
        self._runner: Runner | None = None
        self.load_error: AppError | None = None

    @classmethod
    def start(cls, options: EngineOptions) -> "Engine":
        """Start loading the model in the background."""
        engine = cls(
            lambda: load_model(options),
            max_running=options.max_running,
            adapters=options.adapters,
            load_drafter=lambda model, runner: load_drafter(options, model, runner),
            prompt_cache=options.prompt_cache,
            max_queue=options.max_queue,
        )
        engine.start_thread()
        return engine

    def start_thread(self) -> None:
        """Start the engine's thread."""
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded."""
        return self._is_loaded.is_set() and self.load_error is None

    def wait_until_loaded(self) -> None:
        """Wait for the model.

        Raises:
            AppError: It could not be loaded.
        """
        self._is_loaded.wait()
        if self.load_error:
            raise self.load_error

    @property
    def model(self) -> Model:
        """The loaded model; waits for it."""
        self.wait_until_loaded()
        assert self._model is not None, "loaded without an error"
        return self._model

    @property
    def n_ctx(self) -> int:
        """Tokens of context; waits for the model."""
        return self._loaded_runner().n_ctx

    @property
    def n_threads(self) -> int:
        """Threads that compute; waits for the model."""
        return self._loaded_runner().n_threads

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
            RequestError: There is no input, an empty one, or one with an unknown token.
        """
        check_inputs(request.inputs, self.embeds, self.model.n_vocab)
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
        except AppError as error:
            self.load_error = error
            return
        finally:
            self._is_loaded.set()
        cache = PrefixCache(self._runner)
        scheduler = Scheduler(self._runner, cache, max_running=self._max_running, drafter=drafter)
        loop = _Loop(self._model, self._runner, cache, scheduler, self._inbox, self._publish)
        if self._prompt_cache:
            loop.use_prompt_cache(self._prompt_cache)
        loop.run()

    def _publish(self, metrics: Metrics) -> None:
        self._metrics = metrics


class _Loop:
    """What the engine's thread does once the model is loaded."""

    def __init__(
        self,
        model: Model,
        runner: Runner,
        cache: PrefixCache,
        scheduler: Scheduler,
        inbox: Inbox,
        publish: Callable[[Metrics], None],
    ) -> None:
        self._model = model
        self._runner = runner
        self._cache = cache
        self._scheduler = scheduler
        self._embeddings = EmbeddingQueue(runner, inbox.forget)
        self._inbox = inbox
        self._metrics = Metrics()
        self._publish = publish
        self._prompts: PromptCache | None = None
        self._may_save = False

    def use_prompt_cache(self, options: PromptCacheOptions) -> None:
        self._prompts = PromptCache(options, self._runner, self._cache)
        self._prompts.open()

    @property
    def _has_work(self) -> bool:
        return self._scheduler.has_work or self._embeddings.has_work

    def run(self) -> None:
        is_last = False
        while not is_last:
            self._tell_metrics()
            is_idle = not self._has_work
            timeout_s = SAVE_AFTER_S if self._may_save else None
            arrivals = self._inbox.take(wait=is_idle, timeout_s=timeout_s)
            is_last = arrivals.is_last
            if is_idle and not arrivals.new:
                self._save_a_prompt()
            for request in arrivals.new:
                self._add(request)
            for request in arrivals.cancelled:
                if isinstance(request, EmbeddingJob):
                    self._embeddings.cancel(request)
                elif request in self._scheduler.sequences():
                    self._finish(request, "cancelled")
            self._end_late_ones()
            if not is_last:
                self._step()
                self._embeddings.step()
        self._embeddings.stop()
        for sequence in self._scheduler.sequences():
            self._finish(sequence, "cancelled")
        if self._prompts:
            self._prompts.close()

    def _add(self, request: Request) -> None:
        if isinstance(request, EmbeddingJob):
            self._embeddings.add(request)
            return
        if self._prompts and not request.adapters:
            self._prompts.restore(request.request.prompt)
        self._scheduler.add(request)

    def _save_a_prompt(self) -> None:
        """Save one while nothing else is to be done, so that a kill loses little."""
        if self._prompts and self._may_save:
            self._may_save = self._prompts.save_next()

    def _end_late_ones(self) -> None:
        """End what has had its time: with the text it has, or as a failure without any."""
        for sequence in filter(is_late, self._scheduler.sequences()):
            if sequence.num_completion_tokens:
                self._finish(sequence, "length")
            else:
                assert sequence.request.timeout_s is not None, "it is late"
                self._fail(sequence, DeadlineError(sequence.request.timeout_s), "timeout")

    def _step(self) -> None:
        works = [work for work in self._scheduler.schedule() if self._prepare(work.sequence)]
        if not works:
            return
        started_at = time.monotonic()
        try:
            self._decode(works)
        except AppError as error:
            logger.error("A batch failed: %s", error)
            for work in works:
                self._fail(work.sequence, error)
            return
        self._metrics.count_batch(works, time.monotonic() - started_at)
        self._scheduler.advance(works)
        for index, work in enumerate(works):
            if work.slice.wants_logits:
                try:
                    self._take_tokens(work, index)
                except AppError as error:
                    self._fail(work.sequence, error)

    def _prepare(self, sequence: Sequence) -> bool:
        """Make a new sequence's sampler; say whether it can be worked on."""
        if sequence.started_at is not None:
            return True
        sequence.started_at = time.monotonic()
        request = sequence.request
        try:
            sequence.sampler = self._runner.new_sampler(request.sampling, request.prompt)
        except AppError as error:
            self._fail(sequence, error)
            return False
        return True

    def _decode(self, works: list[Work]) -> None:
        """Compute the batch, giving up cached sequences where cells run out."""
        batch = [work.slice for work in works]
        while True:
            try:
                self._runner.decode(batch)
                return
            except OutOfCellsError:
                if not self._cache.evict(sum(len(piece.tokens) for piece in batch)):
                    raise

    def _take_tokens(self, work: Work, index: int) -> None:
        """Sample a sequence's next token, and go on as long as it is what was drafted."""
        sequence = work.sequence
        for offset, drafted in enumerate([*work.draft, None]):
            token = self._take_token(sequence, index, offset)
            if drafted is None or token != drafted or sequence.seq_id is None:
                break
            self._scheduler.accept(sequence, drafted)
        self._scheduler.settle(work)

    def _take_token(self, sequence: Sequence, index: int, offset: int) -> int:
        """Sample a sequence's next token and tell its caller the text that is certain."""
        assert sequence.sampler is not None, "prepared with its first batch"
        token = self._runner.sample(sequence.sampler, index, offset)
        if sequence.first_token_at is None:
            sequence.first_token_at = time.monotonic()
        sequence.tokens.append(token)
        self._metrics.count_token(sequence)
        if self._model.is_end_of_generation(token):
            self._finish(sequence, "stop")
            return token
        num_top = sequence.request.num_top_logprobs
        if num_top is not None:
            sequence.choices.append(self._runner.choice(index, token, num_top, offset))
        text = sequence.text.push(self._model.piece(token))
        if text:
            sequence.emit(sequence.delta(text))
        if sequence.text.stopped_by is not None:
            self._finish(sequence, "stop")
        elif self._is_at_limit(sequence) or has_generated_long_enough(sequence, text):
            self._finish(sequence, "length")
        return token

    def _is_at_limit(self, sequence: Sequence) -> bool:
        request = sequence.request
        if request.n_keep is None and len(sequence.tokens) >= self._runner.n_ctx:
            return True
        return (
            request.max_tokens is not None and sequence.num_completion_tokens >= request.max_tokens
        )

    def _finish(self, sequence: Sequence, reason: str) -> None:
        if reason != "cancelled" and sequence.text.stopped_by is None:
            rest = sequence.text.finish()
            if rest or sequence.choices:
                sequence.emit(sequence.delta(rest))
        self._leave(sequence, reason)
        sequence.emit(Finished(reason, sequence.stats()))

    def _fail(self, sequence: Sequence, error: AppError, reason: str = "error") -> None:
        self._leave(sequence, reason)
        sequence.emit(Failed(error))

    def _leave(self, sequence: Sequence, reason: str) -> None:
        self._scheduler.remove(sequence, keep=reason != "error")
        if sequence.sampler is not None:
            sequence.sampler.close()
        self._may_save = self._prompts is not None
        self._inbox.forget(sequence)
        self._metrics.num_finished[reason] += 1
        # Told before the request's caller hears of its end, who may look at once.
        self._tell_metrics()

    def _tell_metrics(self) -> None:
        metrics = self._metrics
        metrics.num_running = len(self._scheduler.running)
        metrics.num_cells = self._runner.n_ctx
        metrics.num_cells_used = self._cache.num_cells
        metrics.num_cells_running = self._cache.num_leased_cells
        metrics.num_cached_sequences = self._cache.num_finished
        metrics.num_preemptions = self._scheduler.num_preemptions
        metrics.num_evictions = self._cache.num_evictions
        self._publish(metrics.snapshot())
