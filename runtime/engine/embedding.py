"""Requests for embeddings: which inputs the next batch takes, and what becomes of its vectors."""

import math
from collections import deque
from collections.abc import Callable

import msgspec

from runtime.engine.pooling import Pooling
from runtime.engine.sequence import Failed
from runtime.engine.types import EmbeddingShape, Runner
from runtime.errors import AppError, RequestError

# Beyond this many tokens a batch grows no faster, and whoever generates text waits longer for it.
BATCH_TOKENS = 128
# llama.cpp scales to this where it normalizes by the largest value, as for 16-bit integers.
_MAX_INT16_SCALE = 32760
MAX_NORM = 1000


class InputSizeError(RequestError):
    """An input is longer than what is computed at once.

    Args:
        num_tokens: The input's length.
        max_tokens: The longest that is taken.
    """

    def __init__(self, num_tokens: int, max_tokens: int) -> None:
        self.num_tokens = num_tokens
        self.max_tokens = max_tokens
        super().__init__(
            f"An input has {num_tokens} tokens, and at most {max_tokens} are embedded at once.",
            hint="Split it; if the model was made for longer ones, raise --batch-size.",
        )


class EmbeddingRequest(msgspec.Struct, frozen=True):
    """What to embed.

    Args:
        inputs: Token ids of each input, at least one.
        normalize: llama.cpp's number for how: -1 not, 0 by the largest value, 1 taxicab,
            2 euclidean, above that a p-norm. Single tokens' vectors and ranks are left as they are.
    """

    inputs: list[list[int]]
    normalize: int = 2


class Embedding(msgspec.Struct, frozen=True):
    """What became of one input.

    Args:
        vectors: One vector; without pooling, one for each token; with rank pooling, the scores.
    """

    vectors: list[list[float]]


class Embedded(msgspec.Struct, frozen=True):
    """All inputs of a request are done, in their order."""

    embeddings: list[Embedding]


EmbeddingEvent = Embedded | Failed


class EmbeddingJob:
    """One request while the engine works on it."""

    def __init__(self, request: EmbeddingRequest, emit: Callable[[EmbeddingEvent], None]) -> None:
        self.request = request
        self.emit = emit
        self.next_input = 0
        self.embeddings: list[Embedding] = []

    @property
    def is_taken_whole(self) -> bool:
        """Whether every input has gone into a batch."""
        return self.next_input == len(self.request.inputs)


class EmbeddingQueue:
    """The jobs under way; each step computes one batch, with inputs of several of them.

    The jobs take turns, input by input, so a thousand inputs do not keep a single one waiting.

    Args:
        runner: What computes; used on the thread that calls `step`.
        forget: Told each job that has left, however it ended.
    """

    def __init__(self, runner: Runner, forget: Callable[[EmbeddingJob], None]) -> None:
        self._runner = runner
        self._forget = forget
        self._jobs: deque[EmbeddingJob] = deque()

    @property
    def has_work(self) -> bool:
        """Whether a job waits."""
        return bool(self._jobs)

    def add(self, job: EmbeddingJob) -> None:
        """Queue a job."""
        self._jobs.append(job)

    def cancel(self, job: EmbeddingJob) -> None:
        """Drop a job; its caller is told nothing. A finished one is left as it is."""
        if job in self._jobs:
            self._jobs.remove(job)
            self._forget(job)

    def stop(self) -> None:
        """Tell the callers of all jobs that nothing will come."""
        while self._jobs:
            self._end(self._jobs[0], Failed(AppError("The engine was stopped.")))

    def step(self) -> None:
        """Compute one batch, where there is work, and tell the callers of finished jobs."""
        owners, inputs = self._next_batch()
        if not inputs:
            return
        try:
            results = self._runner.embed(inputs)
        except AppError as error:
            for job in dict.fromkeys(owners):
                self._end(job, Failed(error))
            return
        for job, vectors in zip(owners, results, strict=True):
            job.embeddings.append(self._embedding(vectors, job.request.normalize))
        for job in dict.fromkeys(owners):
            if job.is_taken_whole:
                self._end(job, Embedded(job.embeddings))

    def _end(self, job: EmbeddingJob, event: EmbeddingEvent) -> None:
        """Let a job leave, whether its last input is taken or not, and tell its caller."""
        if not job.is_taken_whole:
            self._jobs.remove(job)
        self._forget(job)
        job.emit(event)

    def _next_batch(self) -> tuple[list[EmbeddingJob], list[list[int]]]:
        """Take inputs while they fit; a job whose last one is taken leaves the queue."""
        owners: list[EmbeddingJob] = []
        inputs: list[list[int]] = []
        room = BATCH_TOKENS
        while self._jobs and len(inputs) < self._runner.embeds.max_inputs:
            job = self._jobs[0]
            tokens = job.request.inputs[job.next_input]
            if inputs and len(tokens) > room:
                break
            room -= len(tokens)
            owners.append(job)
            inputs.append(tokens)
            job.next_input += 1
            self._jobs.popleft()
            if not job.is_taken_whole:
                self._jobs.append(job)
        return owners, inputs

    def _embedding(self, vectors: list[list[float]], kind: int) -> Embedding:
        if self._runner.embeds.pooling in (Pooling.NONE, Pooling.RANK):
            return Embedding(vectors)
        return Embedding([normalized(vector, kind) for vector in vectors])


def normalized(vector: list[float], kind: int) -> list[float]:
    """Return a vector scaled to length 1 by a norm; see `EmbeddingRequest.normalize`."""
    if kind < 0:
        return vector
    if kind == 0:
        length = max(map(abs, vector)) / _MAX_INT16_SCALE
    elif kind == 2:
        length = math.hypot(*vector)
    else:
        largest = max(map(abs, vector)) or 1.0
        # Powers of numbers up to 1 cannot overflow.
        powers = math.fsum((abs(value) / largest) ** kind for value in vector)
        length = largest * powers ** (1 / kind)
    return [value / length for value in vector] if length else vector


def check_request(request: EmbeddingRequest, shape: EmbeddingShape, n_vocab: int) -> None:
    """Refuse what a model cannot embed.

    Raises:
        InputSizeError: An input is too long.
        RequestError: There is no input, an empty one, one with an unknown token, or no such norm.
    """
    inputs = request.inputs
    if not -1 <= request.normalize <= MAX_NORM:
        raise RequestError(
            f"embd_normalize is {request.normalize}, and must lie from -1 to {MAX_NORM}."
        )
    if not inputs:
        raise RequestError("There is no input.")
    for number, tokens in enumerate(inputs):
        if not tokens:
            raise RequestError(f"Input {number} is empty.")
        if min(tokens) < 0 or max(tokens) >= n_vocab:
            raise RequestError(
                f"Input {number} has a token that the model does not know; its own are 0 to "
                f"{n_vocab - 1}."
            )
        if len(tokens) > shape.max_input_tokens:
            raise InputSizeError(len(tokens), shape.max_input_tokens)
