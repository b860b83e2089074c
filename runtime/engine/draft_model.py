"""Drafts by a second, smaller model, which follows the sequences in a context of its own."""

import logging
import math
from collections.abc import Callable, Mapping

import msgspec

from runtime import machine
from runtime.engine.context_size import check_weights_fit, choose_n_ctx
from runtime.engine.draft_vocabulary import vocabulary_difference
from runtime.engine.drafting import MAX_CHECKED
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.model_runner import ContextOptions, ModelRunner
from runtime.engine.sequence import Sequence
from runtime.engine.types import BatchSlice, Runner
from runtime.engine.weights import LoadOptions, Weights
from runtime.errors import AppError, UnsupportedError

logger = logging.getLogger(__name__)

# Tokens of sequences that it takes in before one batch of the model, which waits for that.
MAX_CATCH_UP = 128


class DraftLimits(msgspec.Struct, frozen=True):
    """How long a draft may be and how sure it must be.

    Args:
        n_max: Tokens in a draft at most.
        n_min: Shorter drafts are not worth checking.
        p_min: A draft ends before a token that is less likely than this.
    """

    n_max: int = 3
    n_min: int = 0
    p_min: float = 0.0


class _Mirror(msgspec.Struct):
    """What the draft model has computed of a sequence.

    Args:
        seq_id: The sequence's number in the draft model's context.
        tokens: What lies there; guesses that were wrong, too, until the next draft.
        num_agreed: How many of them are known to be the sequence's own.
    """

    seq_id: int
    tokens: list[int] = []
    num_agreed: int = 0


class DraftModel:
    """A `Drafter` that takes the likeliest tokens of another model.

    It computes what it lacks of a sequence just before it drafts for it, a part at a time, so a
    long prompt delays no batch by much. Sequences that do not fit into its context get no draft.

    Args:
        runner: The draft model's, with a sequence number for each request that runs at once.
        limits: How long a draft may be and how sure it must be.
        max_length: Tokens in a sequence at most that it can follow.
        can_follow: Says whether a guess may be this token.
    """

    def __init__(
        self,
        runner: Runner,
        limits: DraftLimits,
        *,
        max_length: int,
        can_follow: Callable[[int], bool],
    ) -> None:
        self._runner = runner
        self._limits = limits
        self._least_logprob = math.log(limits.p_min) if limits.p_min else -math.inf
        self._max_length = max_length
        self._can_follow = can_follow
        self._mirrors: dict[Sequence, _Mirror] = {}
        self._free_ids = list(range(runner.n_seq_max))

    @classmethod
    def open(
        cls,
        weights: Weights,
        loading: LoadOptions,
        target: Model,
        context: ContextOptions,
        limits: DraftLimits,
    ) -> "DraftModel":
        """Load a draft model for a target.

        Args:
            weights: Where the draft model lies.
            loading: How its weights come into memory.
            target: The model whose tokens are guessed.
            context: The size and shape of the draft model's context.
            limits: How long a draft may be and how sure it must be.

        Raises:
            UnsupportedError: Its vocabulary differs from the target's, or its memory cannot be
                cut, or llama.cpp does not know it.
            DamagedFileError: It is no sound GGUF.
            ResourceError: It does not fit into memory.
        """
        check_weights_fit(weights.size, machine.memory_total_bytes())
        llama = Llama.load()
        model = Model.load(llama, weights, loading)
        if not model.can_cut_memory:
            raise UnsupportedError(
                f"{weights.path} cannot be a draft model, since wrong guesses cannot be cut off "
                "its memory.",
                hint="Name one that is neither recurrent nor hybrid.",
            )
        if difference := vocabulary_difference(llama, target, model):
            raise UnsupportedError(
                f"{weights.path} cannot guess this model's tokens: {difference}.",
                hint="Name a draft model of the same family, or use none by --spec-type "
                "ngram-simple.",
            )
        # It follows the same sequences, so it needs as many cells.
        choose_n_ctx(
            context.n_ctx,
            n_ctx_train=model.n_ctx_train,
            kv_bytes_per_token=model.kv_bytes_per_token(context.attention),
            free_bytes=machine.memory_available_bytes() - weights.size,
        )
        return cls(
            ModelRunner.open(llama, model, context),
            limits,
            max_length=model.n_ctx_train or context.n_ctx,
            # The sizes may differ a little; and what follows the end is never wanted.
            can_follow=lambda token: (
                token < target.n_vocab and not target.is_end_of_generation(token)
            ),
        )

    def propose(self, limits: Mapping[Sequence, int]) -> dict[Sequence, list[int]]:
        """Return drafts; see `Drafter.propose`."""
        try:
            return self._propose(limits)
        except AppError as error:
            # Answers go on without drafts.
            logger.error("The draft model failed: %s", error)
            for sequence in list(self._mirrors):
                self.forget(sequence)
            return {}

    def learn(self, sequence: Sequence, num_drafted: int, num_accepted: int) -> None:
        """Learn nothing: the model says itself how sure it is."""

    def forget(self, sequence: Sequence) -> None:
        """Free a sequence's cells; see `Drafter.forget`."""
        mirror = self._mirrors.pop(sequence, None)
        if mirror is not None:
            self._runner.cut(mirror.seq_id, 0)
            self._free_ids.append(mirror.seq_id)

    def _propose(self, limits: Mapping[Sequence, int]) -> dict[Sequence, list[int]]:
        guessing = self._catch_up([sequence for sequence in limits if self._follow(sequence)])
        drafts: dict[Sequence, list[int]] = {sequence: [] for sequence in guessing}
        while guessing:
            going_on = []
            for index, sequence in enumerate(guessing):
                token = self._guess(index)
                if token is None:
                    continue
                draft = drafts[sequence]
                draft.append(token)
                if len(draft) < min(limits[sequence], self._limits.n_max):
                    going_on.append(sequence)
            self._compute({sequence: drafts[sequence][-1:] for sequence in going_on})
            guessing = going_on
        least = max(1, self._limits.n_min)
        return {sequence: draft for sequence, draft in drafts.items() if len(draft) >= least}

    def _follow(self, sequence: Sequence) -> bool:
        """Say whether a sequence and its draft fit beside the others; forget it if not.

        One with images does not: the draft model reads none.
        """
        if sequence.request.images:
            return False
        needed = len(sequence.tokens) + MAX_CHECKED
        others = sum(
            len(other.tokens) + MAX_CHECKED for other in self._mirrors if other is not sequence
        )
        if needed > self._max_length or others + needed > self._runner.n_ctx:
            self.forget(sequence)
            return False
        if sequence not in self._mirrors:
            assert self._free_ids, "those that no longer run were forgotten"
            self._mirrors[sequence] = _Mirror(self._free_ids.pop())
        return True

    def _catch_up(self, sequences: list[Sequence]) -> list[Sequence]:
        """Compute what is lacking, as much as a batch may; returns those that lack nothing more."""
        lacking = {sequence: self._lacking(sequence) for sequence in sequences}
        budget = MAX_CATCH_UP
        batch: dict[Sequence, list[int]] = {}
        # The shortest first, so that a long prompt holds no other sequence's draft up.
        for sequence in sorted(lacking, key=lambda sequence: len(lacking[sequence])):
            tokens = lacking[sequence][:budget]
            if tokens:
                batch[sequence] = tokens
                budget -= len(tokens)
        self._compute(batch)
        return [sequence for sequence in batch if len(batch[sequence]) == len(lacking[sequence])]

    def _lacking(self, sequence: Sequence) -> list[int]:
        """Cut what is not the sequence's, and return what follows; at least its last token."""
        mirror = self._mirrors[sequence]
        length = mirror.num_agreed
        end = min(len(mirror.tokens), len(sequence.tokens) - 1)
        while length < end and mirror.tokens[length] == sequence.tokens[length]:
            length += 1
        if length < len(mirror.tokens):
            self._runner.cut(mirror.seq_id, length)
            del mirror.tokens[length:]
        mirror.num_agreed = length
        return sequence.tokens[length:]

    def _compute(self, tokens: Mapping[Sequence, list[int]]) -> None:
        """Compute more tokens of some sequences; the logits of each one's last are there then."""
        if not tokens:
            return
        batch = [
            BatchSlice(mirror.seq_id, len(mirror.tokens), more, wants_logits=True)
            for mirror, more in ((self._mirrors[key], more) for key, more in tokens.items())
        ]
        self._runner.decode(batch)
        for sequence, more in tokens.items():
            self._mirrors[sequence].tokens += more

    def _guess(self, index: int) -> int | None:
        """Return the likeliest token behind a slice of the last batch, if it is good enough."""
        best = self._runner.choice(index, 0, 1).top[0]
        if best.logprob < self._least_logprob or not self._can_follow(best.token):
            return None
        return best.token
