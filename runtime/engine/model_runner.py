"""The device: one llama.cpp context that computes batches, holds the KV cache, and samples."""

import ctypes
from collections.abc import Sequence as ReadOnlyList
from functools import cached_property
from typing import Any

import msgspec
from msgspec.structs import replace

from runtime.engine.attention import AttentionOptions
from runtime.engine.embedder import Embedder
from runtime.engine.image_batch import image_batches
from runtime.engine.image_span import ImageSpan
from runtime.engine.llama import Llama
from runtime.engine.lora import LoraAdapters
from runtime.engine.model import Model
from runtime.engine.positions import Positions
from runtime.engine.sampling.candidates import Candidates
from runtime.engine.sampling.chain import SamplerChain, build_chain
from runtime.engine.sampling.constrained import ConstrainedChain
from runtime.engine.sampling.grammar import Grammar
from runtime.engine.sampling.lazy_grammar import LazyGrammar
from runtime.engine.sampling.logprobs import Choice, LogprobReader
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sliding_state import ARCHITECTURES, SlidingState
from runtime.engine.state_facts import state_facts
from runtime.engine.types import BatchSlice, EmbeddingShape, OutOfCellsError, Sampler
from runtime.errors import AppError, ResourceError, UnsupportedError

# Sequences that a context may have.
LLAMA_MAX_SEQ = 256


class ContextOptions(msgspec.Struct, frozen=True):
    """The size and shape of the context, in llama.cpp's names.

    Args:
        n_ctx: Cells of the KV cache, shared by all sequences.
        n_batch: Tokens in one batch at most.
        n_ubatch: Tokens computed at once at most.
        n_seq_max: Sequences at most, running and cached.
        n_threads: Threads while generating.
        n_threads_batch: Threads while reading prompts.
        embeds: How the model embeds.
        attention: The KV cache's types, flash attention, and RoPE.
    """

    n_ctx: int
    n_batch: int
    n_ubatch: int
    n_seq_max: int
    n_threads: int
    n_threads_batch: int
    embeds: EmbeddingShape
    attention: AttentionOptions = msgspec.field(default_factory=AttentionOptions)


class ModelRunner:
    """A context over a loaded model; used by one thread."""

    def __init__(
        self,
        llama: Llama,
        model: Model,
        context: Any,
        options: ContextOptions,
        adapters: LoraAdapters | None = None,
    ) -> None:
        self._api = llama.api
        self._llama = llama
        self._model = model
        self._options = options
        self._context = context
        self._adapters = adapters
        self._embedder: Embedder | None = None
        self._memory = llama.api.llama_get_memory(context)
        self._batch = llama.api.llama_batch_init(options.n_batch, 0, 1)
        self._output_positions: list[int] = []
        self._positions = Positions()
        self._logprobs: LogprobReader | None = None
        self.n_ctx: int = llama.api.llama_n_ctx(context)
        self.n_threads = options.n_threads
        self.n_batch = options.n_batch
        self.n_seq_max = options.n_seq_max
        self.can_cut_memory = model.can_cut_memory
        # Twins of all numbers follow behind them; see `_pin`.
        self._has_twins = _needs_twins(model)
        self._sliding = self._sliding_state() if self._has_twins else None
        self.can_save_states = model.generates_text and (
            not self._has_twins or self._sliding is not None
        )
        self.embeds = options.embeds

    @classmethod
    def open(
        cls,
        llama: Llama,
        model: Model,
        options: ContextOptions,
        adapters: LoraAdapters | None = None,
    ) -> "ModelRunner":
        """Make a context that can apply some loaded adapters.

        Raises:
            ResourceError: There is not enough memory for it.
            UnsupportedError: The model takes no KV cache of the asked types.
        """
        if _needs_twins(model):
            # Cells are pinned after each batch, so none may be computed in two parts.
            options = replace(options, n_batch=min(options.n_batch, options.n_ubatch))
        params = llama.api.llama_context_default_params()
        params.n_ctx = options.n_ctx
        params.n_batch = options.n_batch
        params.n_ubatch = min(options.n_ubatch, options.n_batch)
        params.n_seq_max = options.n_seq_max
        if _needs_twins(model):
            params.n_seq_max = min(2 * options.n_seq_max + 2, LLAMA_MAX_SEQ)
        params.n_threads = options.n_threads
        params.n_threads_batch = options.n_threads_batch
        params.kv_unified = True
        params.swa_full = True
        params.no_perf = True
        options.attention.apply(params)

        def make() -> Any:
            return llama.api.llama_init_from_model(model.handle, params)

        context = make()
        if not context:
            reason = " ".join(llama.why(make)[-1:])
            if "cache type" in reason:
                raise UnsupportedError(
                    f"The model cannot have a KV cache of these types: {reason}.",
                    hint="Leave --cache-type-k and --cache-type-v out.",
                )
            raise ResourceError(
                f"llama.cpp could not make a context of {options.n_ctx} tokens: {reason}",
                hint="Ask for a smaller one with --ctx-size.",
            )
        return cls(llama, model, context, options, adapters)

    @classmethod
    def open_embedder(
        cls,
        llama: Llama,
        model: Model,
        options: ContextOptions,
        adapters: LoraAdapters | None = None,
    ) -> "ModelRunner":
        """Make a runner for a model that generates no text; its one context embeds.

        Raises:
            ResourceError: There is not enough memory for it.
            UnsupportedError: There are adapters; they change texts, not embeddings.
        """
        if adapters:
            raise UnsupportedError(
                "LoRA adapters are not applied to embeddings.", hint="Run the model without them."
            )
        embedder = Embedder.open(llama, model, options.embeds, n_threads=options.n_threads_batch)
        runner = cls(llama, model, embedder.context, options)
        runner._embedder = embedder
        return runner

    @property
    def context(self) -> Any:
        """The context's handle."""
        return self._context

    def close(self) -> None:
        """Free the contexts."""
        if self._logprobs:
            self._logprobs.close()
        if self._embedder:
            self._embedder.close()
        self._api.llama_batch_free(self._batch)
        if self._embedder is None or self._embedder.context != self._context:
            self._api.llama_free(self._context)

    def decode(self, batch: ReadOnlyList[BatchSlice]) -> None:
        """Compute a batch; see `Runner.decode`."""
        if self._adapters:
            self._adapters.apply(self._context, batch[0].adapters)
        try:
            for piece in batch:
                if piece.image:
                    self._decode_image(piece.seq_id, piece.start, piece.image)
            # Last: each call of llama.cpp forgets the logits of the one before.
            self._decode_tokens(batch)
        except OutOfCellsError:
            for piece in batch:
                if piece.image:
                    self.cut(piece.seq_id, piece.start)
            raise
        for piece in batch:
            self._pin(piece.seq_id, piece.start)

    def _decode_tokens(self, batch: ReadOnlyList[BatchSlice]) -> None:
        native = self._batch
        count = 0
        self._output_positions = []
        for piece in batch:
            if piece.image:
                # Never read: a prompt does not end with an image.
                self._output_positions.append(-1)
                continue
            begin = self._positions.of(piece.seq_id, piece.start)
            for position, token in enumerate(piece.tokens, begin):
                native.token[count] = token
                native.pos[count] = position
                native.n_seq_id[count] = 1
                native.seq_id[count][0] = piece.seq_id
                native.logits[count] = 0
                count += 1
            first_output = count - 1 - piece.num_drafted
            for position in range(first_output, count):
                native.logits[position] = piece.wants_logits
            self._output_positions.append(first_output)
        native.n_tokens = count
        if count:
            self._compute(native)

    def _decode_image(self, seq_id: int, start: int, image: ImageSpan) -> None:
        batches = image_batches(
            self._api,
            image,
            seq_id=seq_id,
            position=self._positions.of(seq_id, start),
            n_batch=self.n_batch,
        )
        if not image.is_causal:
            self._api.llama_set_causal_attn(self._context, False)
        try:
            for native in batches:
                self._compute(native)
        finally:
            if not image.is_causal:
                self._api.llama_set_causal_attn(self._context, True)
        self._positions.add(seq_id, image)

    def _compute(self, native: Any) -> None:
        status = self._api.llama_decode(self._context, native)
        if status == 1:
            raise OutOfCellsError("The KV cache has no room for the batch.")
        if status:
            raise AppError(f"llama.cpp failed to compute a batch (status {status}).")

    def sample(self, sampler: Sampler, index: int, offset: int = 0) -> int:
        """Choose a token; see `Runner.sample`."""
        assert isinstance(sampler, SamplerChain | ConstrainedChain), "made by new_sampler"
        return sampler.sample(self._context, self._output_positions[index] + offset)

    def choice(self, index: int, token: int, num_top: int, offset: int = 0) -> Choice:
        """Return how likely a token was; see `Runner.choice`."""
        if self._logprobs is None:
            self._logprobs = LogprobReader(self._api, self._candidates)
        position = self._output_positions[index] + offset
        logits = self._api.llama_get_logits_ith(self._context, position)
        return self._logprobs.read(logits, token, num_top)

    def sampled_choice(self, sampler: Sampler, token: int, num_top: int) -> Choice:
        """Return how likely a token was to be sampled; see `Runner.sampled_choice`."""
        assert isinstance(sampler, SamplerChain | ConstrainedChain), "made by new_sampler"
        return sampler.last_choice(token, num_top)

    def new_sampler(self, params: SamplingParams, prompt: ReadOnlyList[int]) -> Sampler:
        """Make a sampler chain; see `Runner.new_sampler`."""
        if not params.grammar:
            return self._new_chain(params, prompt)
        strict = Grammar.parse(self._api, self._model, params.grammar)
        is_lazy, triggers = params.grammar_lazy, params.grammar_triggers
        pause = params.grammar_pause
        grammar = LazyGrammar(self._model, strict, triggers, pause) if is_lazy else strict
        chain = self._new_chain(params, prompt)
        return ConstrainedChain(self._api, self._model, chain, grammar, self._candidates)

    def _new_chain(self, params: SamplingParams, prompt: ReadOnlyList[int]) -> SamplerChain:
        candidates = self._candidates if params.post_sampling_probs else None
        return build_chain(self._api, self._model, params, prompt, self.n_ctx, candidates)

    @cached_property
    def _candidates(self) -> Candidates:
        return Candidates(self._api, self._model.n_vocab)

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Share cells; see `Runner.copy_prefix`."""
        end = self._positions.of(source, length)
        self._api.llama_memory_seq_cp(self._memory, source, target, 0, end)
        self._positions.copy(source, target, length)
        self._pin(target, 0)

    def cut(self, seq_id: int, length: int) -> None:
        """Drop cells; see `Runner.cut`."""
        begin = self._positions.of(seq_id, length)
        self._positions.cut(seq_id, length)
        self._api.llama_memory_seq_rm(self._memory, seq_id, begin, -1)
        if self._has_twins:
            self._api.llama_memory_seq_rm(self._memory, seq_id + self.n_seq_max, begin, -1)

    def state_facts(self) -> str:
        """Say what states depend on; see `Runner.state_facts`."""
        return state_facts(self._model, self._options.attention, self.n_ctx)

    def save_state(self, seq_id: int, max_bytes: int) -> memoryview | None:
        """Copy a state; see `Runner.save_state`."""
        if self._sliding:
            return self._sliding.save(seq_id, max_bytes)
        size = self._api.llama_state_seq_get_size_ext(self._context, seq_id, 0)
        if size > max_bytes:
            return None
        buffer = (ctypes.c_uint8 * size)()
        written = self._api.llama_state_seq_get_data_ext(self._context, buffer, size, seq_id, 0)
        return memoryview(buffer).cast("B")[:written]

    def load_state(self, seq_id: int, state: memoryview) -> bool:
        """Take a state; see `Runner.load_state`."""
        if self._sliding:
            is_taken = self._sliding.load(seq_id, seq_id + self.n_seq_max, state)
            if not is_taken:
                self.cut(seq_id, 0)
            return is_taken
        size = len(state)
        source = (ctypes.c_uint8 * size).from_buffer(state)
        read = self._api.llama_state_seq_set_data_ext(self._context, source, size, seq_id, 0)
        if read != size:
            self.cut(seq_id, 0)
            return False
        self._pin(seq_id, 0)
        return True

    def embed(self, inputs: ReadOnlyList[list[int]]) -> list[list[list[float]]]:
        """Compute embeddings, in a second context made on first use; see `Runner.embed`."""
        if self._embedder is None:
            options = self._options
            self._embedder = Embedder.open(
                self._llama, self._model, options.embeds, n_threads=options.n_threads_batch
            )
        return self._embedder.embed(inputs)

    def _sliding_state(self) -> SlidingState | None:
        """Return what saves states of a sliding window, where that can be done whole."""
        spares = (2 * self.n_seq_max, 2 * self.n_seq_max + 1)
        is_known = self._model.metadata("general.architecture") in ARCHITECTURES
        if not is_known or spares[1] >= LLAMA_MAX_SEQ:
            return None
        return SlidingState(self._api, self._context, self._model.n_swa, spares)

    def _pin(self, seq_id: int, start: int) -> None:
        """Keep a sequence's cells from `start` on, where llama.cpp would not.

        With a sliding window it takes cells behind the window away for others, in a full-size
        cache too, if one sequence alone holds them. So a twin holds them as well: a prefix can be
        shared, or gone back to, only while its cells are there.
        """
        if self._has_twins:
            twin = seq_id + self.n_seq_max
            begin = self._positions.of(seq_id, start)
            self._api.llama_memory_seq_cp(self._memory, seq_id, twin, begin, -1)


def _needs_twins(model: Model) -> bool:
    return model.n_swa > 0 and model.can_cut_memory
