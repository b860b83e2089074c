"""Flash attention on a processor: what it wins and costs, by what is computed behind how much.

`python -m bench.attention [PART]...` computes the same batches with `--flash-attn on` and `off`, in
turn, in two contexts of one process that are made as the engine makes them, and gives off / on.
`decode` is a token for one client, `question` some tokens behind many, `prompt` one in an empty
cache, `clients` a token for each of several with cells of their own in the unified cache, and
`shared` a token for each of several behind cells that all have in common.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.prompts import text
from builder import console
from builder.demo import demo_source
from builder.native.llamacpp import expose_binding
from runtime.engine.attention import CACHE_TYPES, AttentionOptions
from runtime.engine.embedder import embedding_shape
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.model_runner import ContextOptions, ModelRunner
from runtime.engine.types import BatchSlice
from runtime.engine.weights import Weights
from runtime.machine import physical_cores

N_CTX = 9216
N_BATCH = 2048
NUM_CLIENTS = 16
NUM_STEPS = 6
# More than 4,096 tokens and the longest question.
NUM_WORDS = 4000


class Context:
    """A context with one kind of attention.

    Args:
        llama: The libraries.
        model: The loaded model.
        attention: The kind.
    """

    def __init__(self, llama: Llama, model: Model, attention: AttentionOptions) -> None:
        words = text(1, NUM_WORDS)
        self._tokens = model.tokenize(words, add_special=True, parse_special=False)
        self._synchronize = llama.api.llama_synchronize
        n_threads = physical_cores()
        options = ContextOptions(
            n_ctx=N_CTX,
            n_batch=N_BATCH,
            n_ubatch=512,
            n_seq_max=NUM_CLIENTS + 1,
            n_threads=n_threads,
            n_threads_batch=n_threads,
            embeds=embedding_shape(model, None, N_BATCH),
            attention=attention,
        )
        self._runner = ModelRunner.open(llama, model, options)
        self._states: dict[int, memoryview] = {}

    def tokens_s(self, num_tokens: int, depth: int) -> float:
        """Return the seconds that some tokens of one sequence take behind others."""
        self._fill(0, depth)
        num_steps = NUM_STEPS if num_tokens == 1 else 1
        taken = [self._compute([0], depth, num_tokens) for _ in range(num_steps)]
        self._runner.cut(0, 0)
        return statistics.median(taken)

    def clients_s(self, number: int, depth: int) -> float:
        """Return the seconds for a token for each of several, behind cells of their own."""
        for seq_id in range(number):
            self._fill(seq_id, depth)
        return self._step_s(number, depth)

    def shared_s(self, number: int, depth: int) -> float:
        """Return the seconds for a token for each of several, behind cells that all share."""
        self._fill(0, depth)
        for seq_id in range(1, number):
            self._runner.copy_prefix(0, seq_id, depth)
        return self._step_s(number, depth)

    def _step_s(self, number: int, depth: int) -> float:
        """Return the seconds for a token for each of the first sequences, and empty them."""
        taken = [self._compute(list(range(number)), depth, 1) for _ in range(NUM_STEPS)]
        for seq_id in range(number):
            self._runner.cut(seq_id, 0)
        return statistics.median(taken)

    def _compute(self, sequences: list[int], begin: int, num_tokens: int) -> float:
        """Compute the same number of tokens for each, and drop them again."""
        tokens = self._tokens[begin : begin + num_tokens]
        started = time.perf_counter()
        self._runner.decode([BatchSlice(seq_id, begin, tokens, True) for seq_id in sequences])
        self._synchronize(self._runner.context)
        taken = time.perf_counter() - started
        for seq_id in sequences:
            self._runner.cut(seq_id, begin)
        return taken

    def _fill(self, seq_id: int, length: int) -> None:
        """Give a sequence cells of its own; quicker than computing them again and again."""
        if length in self._states:
            assert self._runner.load_state(seq_id, self._states[length]), "the cells fit"
            return
        known = max((other for other in self._states if other < length), default=0)
        if known:
            self._fill(seq_id, known)
        for begin in range(known, length, N_BATCH):
            tokens = self._tokens[begin : min(begin + N_BATCH, length)]
            self._runner.decode([BatchSlice(seq_id, begin, tokens, False)])
        state = self._runner.save_state(seq_id, 1 << 30)
        assert state is not None, "a small model's cells fit into a GiB"
        self._states[length] = state


PARTS: dict[str, list[tuple[str, Callable[[Context], float]]]] = {
    "decode": [
        (f"1 token behind {depth}", partial(Context.tokens_s, num_tokens=1, depth=depth))
        for depth in (0, 512, 1024, 2048, 4096)
    ],
    "question": [
        (f"{length} behind {depth}", partial(Context.tokens_s, num_tokens=length, depth=depth))
        for depth in (512, 2048, 4096)
        for length in (13, 32, 63, 64, 256)
    ],
    "prompt": [
        (f"prompt of {length}", partial(Context.tokens_s, num_tokens=length, depth=0))
        for length in (64, 512, 2048)
    ],
    "clients": [
        (f"{number} behind {depth} each", partial(Context.clients_s, number=number, depth=depth))
        for number in (8, 16)
        for depth in (100, 500)
    ],
    "shared": [
        (f"{number} behind {depth} shared", partial(Context.shared_s, number=number, depth=depth))
        for depth in (512, 2048, 4096)
        for number in (2, 8, 16)
    ],
}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=PARTS, metavar="PART")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache-type-k", choices=CACHE_TYPES, default="f16")
    parser.add_argument("--cache-type-v", choices=["f32", "f16", "bf16"], default="f16")
    parser.add_argument("--gguf", type=Path, help="another model than the demo's")
    arguments = parser.parse_args()
    expose_binding()
    llama = Llama.load()
    path: Path = arguments.gguf or demo_source().fetch().files[0].path
    model = Model.load(llama, Weights(path, 0, path.stat().st_size))
    types = arguments.cache_type_k, arguments.cache_type_v
    contexts = [Context(llama, model, AttentionOptions(*types, kind)) for kind in ("on", "off")]
    for part in arguments.parts or PARTS:
        for name, work in PARTS[part]:
            _compare(name, work, contexts, arguments.rounds)


def _compare(
    name: str, work: Callable[[Context], float], contexts: list[Context], rounds: int
) -> None:
    # Once unmeasured: states are made, and memory comes in.
    taken = [[work(context) for context in contexts] for _ in range(rounds + 1)][1:]
    on, off = (statistics.median(kind) * 1000 for kind in zip(*taken, strict=True))
    ratio = statistics.median(without / flash for flash, without in taken)
    console.result(f"{name:22} on {on:7.1f} ms   off {off:7.1f} ms   off / on {ratio:.2f}")


if __name__ == "__main__":
    main()
