"""The state of one request while the engine works on it."""

import itertools
import time
from collections.abc import Callable, Mapping

import msgspec

from runtime.engine.adapters import NO_ADAPTERS, AdapterSet
from runtime.engine.draft_pace import DraftPace
from runtime.engine.image_span import Images
from runtime.engine.prompt_lookup import PromptLookup
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.text import TextStream
from runtime.engine.types import Sampler
from runtime.errors import AppError


class GenerationRequest(msgspec.Struct, frozen=True):
    """What to generate.

    Args:
        prompt: Token ids, at least one; negative numbers stand for images.
        sampling: How tokens are chosen.
        max_tokens: How many to generate at most; None goes on to the context's end.
        stop: Strings at which to stop.
        num_top_logprobs: How many rivals of each token to tell with its likelihood; None tells
            no likelihoods.
        lora: The scales of LoRA adapters by number, 0 for the others; None takes those that the
            engine's `adapters` hold.
        n_keep: Tokens of the prompt to keep when the context is full and half of the rest is
            forgotten, negative for all of them; None ends the answer there.
        timeout_s: Seconds from its arrival to its end at most; None is no limit.
        max_generation_s: Seconds from its first token to its last line's end at most; None is no
            limit.
        shown_tokens: Control tokens that come as text; others come as none.
        tells_progress: Whether each batch of its prompt is told, and statistics with each delta.
        images: The images in the prompt, in order; none at its end.
    """

    prompt: list[int]
    sampling: SamplingParams = msgspec.field(default_factory=SamplingParams)
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    num_top_logprobs: int | None = None
    lora: Mapping[int, float] | None = None
    n_keep: int | None = None
    timeout_s: float | None = None
    max_generation_s: float | None = None
    shown_tokens: frozenset[int] = frozenset()
    tells_progress: bool = False
    images: Images = ()

    @property
    def prompt_text(self) -> list[int]:
        """The prompt's token ids without what stands for images."""
        return [token for token in self.prompt if token >= 0] if self.images else self.prompt

    @property
    def forgets(self) -> bool:
        """Whether a full context drops some of it and goes on; an image is not dropped in part."""
        return self.n_keep is not None and not self.images


class Stats(msgspec.Struct, frozen=True):
    """What one request took.

    Args:
        prompt_tokens: Length of the prompt.
        cached_tokens: How much of it was found in the prefix cache.
        completion_tokens: Tokens generated.
        queue_s: Seconds until its first batch.
        prompt_s: Seconds from then to the first token.
        time_to_first_token_s: Seconds from the request's arrival to its first token.
        generation_s: Seconds from the first token to the last.
        drafted_tokens: Tokens that were guessed ahead.
        accepted_tokens: How many of the guesses were right.
    """

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    queue_s: float
    prompt_s: float
    time_to_first_token_s: float
    generation_s: float
    drafted_tokens: int = 0
    accepted_tokens: int = 0


class TextDelta(msgspec.Struct, frozen=True):
    """More text of a request.

    Args:
        text: It may be empty, where only tokens without a text are left to tell.
        tokens: The tokens generated since the last delta; the one that ends an answer is none.
        choices: How likely they were, where that was asked for.
        stats: What the request took up to now, where that was asked for.
    """

    text: str
    tokens: tuple[int, ...] = ()
    choices: tuple[Choice, ...] = ()
    stats: Stats | None = None


class Progress(msgspec.Struct, frozen=True):
    """More of a request's prompt is computed, where that was asked for.

    Args:
        num_computed: How many of its tokens are, those that were found included.
        stats: What the request took up to now.
    """

    num_computed: int
    stats: Stats


class Finished(msgspec.Struct, frozen=True):
    """A request is done.

    Args:
        reason: `stop` by the model or a stop string, `length`, or `cancelled`.
        stats: What it took.
        stopped_by: The stop string that ended it; None where none did.
        tokens: The tokens that no delta told of: the one with which the model ended, or those of
            the stop string.
        choices: How likely they were, where that was asked for.
    """

    reason: str
    stats: Stats
    stopped_by: str | None = None
    tokens: tuple[int, ...] = ()
    choices: tuple[Choice, ...] = ()


class Failed(msgspec.Struct, frozen=True):
    """A request could not go on."""

    error: AppError


Event = TextDelta | Progress | Finished | Failed

_ids = itertools.count(1)


class Sequence:
    """One request's tokens, its place in the KV cache, and its clock.

    Attributes:
        adapters: What its tokens are computed with.
        tokens: The prompt and what was generated so far, without what was forgotten.
        num_computed: How many of them lie in the KV cache.
        seq_id: Its number there while it runs.
        is_held: Whether it waits for a prefix that another one is computing.
        num_forgotten: How many tokens were dropped where the context was full.
        untold: Generated tokens that no delta told of yet.
        was_preempted: Whether it once had to give its cells up.
        num_unsettled: How many drafted tokens lie behind the computed ones in the KV cache.
        num_drafted: How many tokens were drafted for it.
        num_accepted: How many of them were right.
    """

    def __init__(
        self,
        request: GenerationRequest,
        emit: Callable[[Event], None],
        adapters: AdapterSet = NO_ADAPTERS,
    ) -> None:
        self.id = next(_ids)
        self.request = request
        self.emit = emit
        self.adapters = adapters
        self.tokens = list(request.prompt)
        self.num_prompt_tokens = len(request.prompt)
        self.num_cached_tokens = 0
        self.num_computed = 0
        self.num_forgotten = 0
        self.seq_id: int | None = None
        self.is_held = False
        self.was_preempted = False
        self.lookup: PromptLookup | None = None
        self.pace = DraftPace()
        self.num_unsettled = 0
        self.num_drafted = 0
        self.num_accepted = 0
        self.sampler: Sampler | None = None
        self.text = TextStream(request.stop)
        self.untold: list[int] = []
        self.choices: list[Choice] = []
        self.submitted_at = time.monotonic()
        self.started_at: float | None = None
        self.first_token_at: float | None = None

    @property
    def num_completion_tokens(self) -> int:
        """How many tokens were generated."""
        return len(self.tokens) + self.num_forgotten - self.num_prompt_tokens

    @property
    def num_uncomputed(self) -> int:
        """How many tokens the next batches must compute; 1 while decoding."""
        return len(self.tokens) - self.num_computed

    @property
    def is_decoding(self) -> bool:
        """Whether only the last generated token is left to compute."""
        return self.num_uncomputed == 1 and self.num_completion_tokens > 0

    def delta(self, text: str) -> TextDelta:
        """Return more text, with the tokens and choices made since the last."""
        stats = self.stats() if self.request.tells_progress else None
        delta = TextDelta(text, tuple(self.untold), tuple(self.choices), stats)
        self.untold.clear()
        self.choices.clear()
        return delta

    def stats(self) -> Stats:
        """Return what the request took up to now."""
        now = time.monotonic()
        started = self.started_at or now
        first_token = self.first_token_at or now
        return Stats(
            prompt_tokens=self.num_prompt_tokens,
            cached_tokens=self.num_cached_tokens,
            completion_tokens=self.num_completion_tokens,
            queue_s=started - self.submitted_at,
            prompt_s=first_token - started,
            time_to_first_token_s=first_token - self.submitted_at,
            generation_s=now - first_token,
            drafted_tokens=self.num_drafted,
            accepted_tokens=self.num_accepted,
        )
