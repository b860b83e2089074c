"""The loop of the engine's thread, which owns the context: computes batches, and tells callers."""

import logging
import time
from collections.abc import Callable

from runtime.engine.embedding import (
    EmbeddingJob,
    EmbeddingQueue,
)
from runtime.engine.inbox import Inbox, Request
from runtime.engine.limits import DeadlineError, has_generated_long_enough, is_late
from runtime.engine.metrics import Metrics
from runtime.engine.model import Model
from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.prompt_cache import PromptCache, PromptCacheOptions
from runtime.engine.scheduler import Scheduler, Work
from runtime.engine.sequence import Failed, Finished, Progress, Sequence
from runtime.engine.types import OutOfCellsError, Runner
from runtime.errors import AppError

logger = logging.getLogger(__name__)

# How long nothing must have been asked before a prompt is saved.
SAVE_AFTER_S = 1.0


class EngineLoop:
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
        """Keep prompts on disk."""
        self._prompts = PromptCache(options, self._runner, self._cache)
        self._prompts.open()

    @property
    def _has_work(self) -> bool:
        return self._scheduler.has_work or self._embeddings.has_work

    def run(self) -> None:
        """Work until the inbox is stopped."""
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

    def abandon(self, error: AppError) -> None:
        """Tell every request's caller that nothing more comes."""
        requests = [*self._scheduler.sequences(), *self._inbox.take(wait=False).new]
        for request in requests:
            if isinstance(request, Sequence):
                request.emit(Failed(error))
        self._embeddings.stop()

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
                self._tell_rest(sequence)
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
        self._tell_progress(works)
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
            sequence.sampler = self._runner.new_sampler(request.sampling, request.prompt_text)
        except AppError as error:
            self._fail(sequence, error)
            return False
        return True

    def _tell_progress(self, works: list[Work]) -> None:
        for sequence in (work.sequence for work in works):
            if sequence.request.tells_progress and not sequence.num_completion_tokens:
                sequence.emit(Progress(sequence.num_computed, sequence.stats()))

    def _decode(self, works: list[Work]) -> None:
        """Compute the batch, giving up cached sequences where cells run out."""
        batch = [work.slice for work in works]
        while True:
            try:
                self._runner.decode(batch)
                return
            except OutOfCellsError:
                num_tokens = sum(len(piece.tokens) for piece in batch)
                if not self._cache.evict(num_tokens, pinned=True):
                    raise

    def _take_tokens(self, work: Work, index: int) -> None:
        """Sample a sequence's next token, and go on as long as it is what was drafted."""
        sequence = work.sequence
        if sequence.request.max_tokens == 0:
            self._finish(sequence, "length")
            return
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
        is_end = self._model.is_end_of_generation(token)
        if is_end:
            self._tell_rest(sequence)
        sequence.untold.append(token)
        num_top = sequence.request.num_top_logprobs
        if num_top is not None:
            if sequence.request.sampling.post_sampling_probs:
                choice = self._runner.sampled_choice(sequence.sampler, token, num_top)
            else:
                choice = self._runner.choice(index, token, num_top, offset)
            sequence.choices.append(choice)
        if is_end:
            self._finish(sequence, "stop")
            return token
        is_shown = token in sequence.request.shown_tokens
        piece = self._model.special_piece(token) if is_shown else self._model.piece(token)
        text = sequence.text.push(piece)
        if text:
            sequence.emit(sequence.delta(text))
        if sequence.text.stopped_by is not None:
            self._finish(sequence, "stop")
        elif self._is_at_limit(sequence) or has_generated_long_enough(sequence, text):
            self._tell_rest(sequence)
            self._finish(sequence, "length")
        return token

    def _is_at_limit(self, sequence: Sequence) -> bool:
        request = sequence.request
        if not request.forgets and len(sequence.tokens) >= self._runner.n_ctx:
            return True
        return (
            request.max_tokens is not None and sequence.num_completion_tokens >= request.max_tokens
        )

    def _tell_rest(self, sequence: Sequence) -> None:
        """Tell the text that was held back, now that no more follows."""
        rest = sequence.text.finish()
        if rest or sequence.untold:
            sequence.emit(sequence.delta(rest))

    def _finish(self, sequence: Sequence, reason: str) -> None:
        self._leave(sequence, reason)
        stats = sequence.stats()
        if reason != "cancelled":
            self._metrics.count_answer(stats)
        untold = sequence.delta("")
        stopped_by = sequence.text.stopped_by
        sequence.emit(Finished(reason, stats, stopped_by, untold.tokens, untold.choices))

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
