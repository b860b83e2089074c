"""One long answer: how fast tokens follow one another."""

from bench.client import ask, messages
from bench.process import running
from bench.servers import Server, Sizes
from bench.workloads.workload import Metric, Workload, at_least

PROMPT = "Tell a long story about the keeper of a lighthouse."
NUM_TOKENS = 256


def measure(server: Server, sizes: Sizes) -> dict[str, float]:
    """Time the second of two answers, from its first text to its last."""
    with running(server, sizes) as process:
        ask(process, messages("Hello."), 8)
        answer = ask(process, messages(PROMPT), NUM_TOKENS)
    seconds = answer.arrivals[-1] - answer.arrivals[0]
    return {"decode": (answer.num_tokens - 1) / seconds}


DECODE = Workload(
    name="decode",
    summary=f"one greedy answer of {NUM_TOKENS} tokens, from its first text to its last",
    num_clients=4,
    n_ctx_per_client=2048,
    metrics=(Metric("decode", "tokens/s", is_rate=True, target=at_least(0.98)),),
    measure=measure,
)
