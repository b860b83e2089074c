"""What the engine has done since it started: counted on its thread, read from any."""

import bisect
from collections import Counter
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from runtime.engine.scheduler import Work
from runtime.engine.sequence import Sequence, Stats

# Upper bounds of the buckets for waiting times, in seconds.
TIME_BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
# The same for tokens in a batch.
BATCH_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0)
# The same for tokens in a prompt or an answer.
LENGTH_BOUNDS = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0)


class Histogram(msgspec.Struct):
    """How often a value fell between two bounds.

    Attributes:
        bounds: The upper bounds, rising; the last bucket has none.
        counts: One per bucket, one more than there are bounds.
        total: The sum of all values.
    """

    bounds: tuple[float, ...]
    counts: list[int] = []
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.total += value

    def copy(self) -> "Histogram":
        """Return one that stays as it is."""
        return replace(self, counts=list(self.counts))


def _times() -> Histogram:
    return Histogram(TIME_BOUNDS_S)


def _batch_sizes() -> Histogram:
    return Histogram(BATCH_BOUNDS)


def _lengths() -> Histogram:
    return Histogram(LENGTH_BOUNDS)


class Metrics(msgspec.Struct):
    """The engine's counters, and how things stood after the last batch.

    Attributes:
        num_running: Requests that are worked on.
        num_waiting: Requests that wait for their turn.
        num_cells: Cells of the KV cache.
        num_cells_used: Those that hold a token, of running and of finished requests.
        num_cells_running: Those that running requests hold, shared ones counted once.
        num_cached_sequences: Finished sequences that are kept.
        num_finished: Requests that have ended, by reason; `error` for those that failed.
        prompt_tokens: Prompt tokens computed, again after a preemption or a shift, too.
        cached_prompt_tokens: Prompt tokens found in the prefix cache.
        generated_tokens: Tokens sampled.
        decoded_tokens: Those of them that took a step of their own; a request's first does not.
        prompt_s: Seconds of the batches that had prompt tokens.
        decode_s: Seconds of the batches in which a request got its next token.
        batch_tokens: Tokens in a batch.
        num_batch_sequences: Sequences in all batches, one batch after the other.
        longest_sequence: The most tokens that one request had.
        num_preemptions: How often a running request was put back to wait.
        num_evictions: How often a finished sequence lost cells.
        queue_s: Seconds until a request's first batch.
        time_to_first_token_s: Seconds from a request's arrival to its first token.
        answer_s: Seconds from a request's arrival to its answer's end.
        time_per_token_s: Seconds that a token of an answer took, its prompt included.
        prompt_lengths: Tokens in a prompt that was answered.
        answer_lengths: Tokens in an answer.
    """

    num_running: int = 0
    num_waiting: int = 0
    num_cells: int = 0
    num_cells_used: int = 0
    num_cells_running: int = 0
    num_cached_sequences: int = 0
    num_finished: Counter[str] = msgspec.field(default_factory=Counter)
    prompt_tokens: int = 0
    cached_prompt_tokens: int = 0
    generated_tokens: int = 0
    decoded_tokens: int = 0
    prompt_s: float = 0.0
    decode_s: float = 0.0
    batch_tokens: Histogram = msgspec.field(default_factory=_batch_sizes)
    num_batch_sequences: int = 0
    longest_sequence: int = 0
    num_preemptions: int = 0
    num_evictions: int = 0
    queue_s: Histogram = msgspec.field(default_factory=_times)
    time_to_first_token_s: Histogram = msgspec.field(default_factory=_times)
    answer_s: Histogram = msgspec.field(default_factory=_times)
    time_per_token_s: Histogram = msgspec.field(default_factory=_times)
    prompt_lengths: Histogram = msgspec.field(default_factory=_lengths)
    answer_lengths: Histogram = msgspec.field(default_factory=_lengths)

    def count_batch(self, works: Iterable[Work], seconds: float) -> None:
        """Count a batch that was computed; the sequences do not know of it yet."""
        num_tokens = num_prompt_tokens = 0
        is_decoding = False
        for work in works:
            size = len(work.slice.tokens)
            num_tokens += size
            self.num_batch_sequences += 1
            if work.sequence.is_decoding:
                is_decoding = True
            else:
                num_prompt_tokens += size
        self.batch_tokens.observe(num_tokens)
        self.prompt_tokens += num_prompt_tokens
        if num_prompt_tokens:
            self.prompt_s += seconds
        if is_decoding:
            self.decode_s += seconds

    def count_token(self, sequence: Sequence) -> None:
        """Count a token that was just added to a sequence."""
        self.generated_tokens += 1
        self.longest_sequence = max(self.longest_sequence, len(sequence.tokens))
        if sequence.num_completion_tokens > 1:
            self.decoded_tokens += 1
            return
        stats = sequence.stats()
        self.cached_prompt_tokens += stats.cached_tokens
        self.queue_s.observe(stats.queue_s)
        self.time_to_first_token_s.observe(stats.time_to_first_token_s)

    def count_answer(self, stats: Stats) -> None:
        """Count an answer that is complete."""
        inference_s = stats.prompt_s + stats.generation_s
        self.answer_s.observe(stats.queue_s + inference_s)
        self.time_per_token_s.observe(inference_s / max(1, stats.completion_tokens))
        self.prompt_lengths.observe(stats.prompt_tokens)
        self.answer_lengths.observe(stats.completion_tokens)

    def snapshot(self) -> "Metrics":
        """Return a copy that stays as it is."""
        return replace(
            self,
            num_finished=self.num_finished.copy(),
            batch_tokens=self.batch_tokens.copy(),
            queue_s=self.queue_s.copy(),
            time_to_first_token_s=self.time_to_first_token_s.copy(),
            answer_s=self.answer_s.copy(),
            time_per_token_s=self.time_per_token_s.copy(),
            prompt_lengths=self.prompt_lengths.copy(),
            answer_lengths=self.answer_lengths.copy(),
        )
