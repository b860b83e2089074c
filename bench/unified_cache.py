"""What a KV cache that all sequences share costs while they share nothing.

`python -m bench.unified_cache` decodes with a unified cache and with one cut into equal parts, in
turn, straight through the binding. Rates are those of one thread, per second of its processor time,
so that a busy machine does not change them.
"""

import argparse
import ctypes
import random
import statistics
import time
from typing import Any

from builder import console
from builder.demo import demo_source
from builder.native.llamacpp import expose_binding
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.weights import Weights

NUM_SEQUENCES = 8
NUM_TOKENS = 500
N_CTX = NUM_SEQUENCES * 1024
NUM_STEPS = 8


class _Context:
    """A context in which every sequence holds cells of its own."""

    def __init__(self, llama: Llama, model: Model, *, is_unified: bool) -> None:
        self._api = llama.api
        params = llama.api.llama_context_default_params()
        params.n_ctx, params.n_seq_max, params.kv_unified = N_CTX, NUM_SEQUENCES, is_unified
        params.n_threads = params.n_threads_batch = 1
        self._context = llama.api.llama_init_from_model(model.handle, params)
        assert self._context, "there is memory for a small model's context"
        self._memory = llama.api.llama_get_memory(self._context)
        self._batch = llama.api.llama_batch_init(NUM_TOKENS, 0, 1)
        chance = random.Random(1)
        tokens = [chance.randrange(1000, model.n_vocab) for _ in range(NUM_TOKENS)]
        self._decode([(0, position, token) for position, token in enumerate(tokens)])
        for seq_id in range(1, NUM_SEQUENCES):
            self._copy_cells(seq_id)

    def steps_per_s(self, num_active: int) -> float:
        """Return how often a second some sequences get a token each, and drop the tokens again."""
        started = time.process_time()
        for step in range(NUM_STEPS):
            self._decode([(seq_id, NUM_TOKENS + step, 2000) for seq_id in range(num_active)])
        taken = time.process_time() - started
        for seq_id in range(num_active):
            self._api.llama_memory_seq_rm(self._memory, seq_id, NUM_TOKENS, -1)
        return NUM_STEPS / taken

    def forget_all_but_first(self) -> None:
        """Leave one sequence alone in the cache."""
        for seq_id in range(1, NUM_SEQUENCES):
            self._api.llama_memory_seq_rm(self._memory, seq_id, -1, -1)

    def _copy_cells(self, seq_id: int) -> None:
        """Give a sequence cells of its own like those of the first; quicker than computing them."""
        size = self._api.llama_state_seq_get_size(self._context, 0)
        buffer = (ctypes.c_uint8 * size)()
        self._api.llama_state_seq_get_data(self._context, buffer, size, 0)
        copied = self._api.llama_state_seq_set_data(self._context, buffer, size, seq_id)
        assert copied, "the cells fit"

    def _decode(self, entries: list[tuple[int, int, int]]) -> None:
        native: Any = self._batch
        for index, (seq_id, position, token) in enumerate(entries):
            native.token[index], native.pos[index] = token, position
            native.n_seq_id[index], native.seq_id[index][0] = 1, seq_id
            native.logits[index] = index == len(entries) - 1 or len(entries) <= NUM_SEQUENCES
        native.n_tokens = len(entries)
        status = self._api.llama_decode(self._context, native)
        assert status == 0, f"llama_decode answered {status}"
        self._api.llama_get_logits_ith(self._context, -1)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds: int = parser.parse_args().rounds
    expose_binding()
    llama = Llama.load()
    path = demo_source().fetch().files[0].path
    model = Model.load(llama, Weights(path, 0, path.stat().st_size))
    contexts = [_Context(llama, model, is_unified=unified) for unified in (True, False)]
    _compare("8 sequences decode", contexts, NUM_SEQUENCES, rounds)
    _compare("1 of 8 decodes", contexts, 1, rounds)
    for context in contexts:
        context.forget_all_but_first()
    _compare("1 sequence alone", contexts, 1, rounds)


def _compare(what: str, contexts: list[_Context], num_active: int, rounds: int) -> None:
    rates: list[list[float]] = [[], []]
    for _ in range(rounds):
        for kind, context in zip(rates, contexts, strict=True):
            kind.append(context.steps_per_s(num_active) * num_active)
    unified, split = map(statistics.median, rates)
    ratio = statistics.median(one / other for one, other in zip(*rates, strict=True))
    console.result(
        f"{what:20} unified {unified:7.1f} tokens/s   split {split:7.1f} tokens/s   "
        f"ratio {ratio:.2f}"
    )


if __name__ == "__main__":
    main()
