"""One long prompt that is new to the server: how fast it is read."""

from bench.client import ask, messages
from bench.process import running
from bench.prompts import text
from bench.servers import Server, Sizes
from bench.workloads.workload import Metric, Workload

# About 2000 tokens with SmolLM2's tokenizer.
NUM_WORDS = 1600


def measure(server: Server, sizes: Sizes) -> dict[str, float]:
    """Time a one-token answer to a long prompt."""
    with running(server, sizes) as process:
        ask(process, messages("Hello."), 8)
        answer = ask(process, messages(text(1, NUM_WORDS)), 1)
    return {"time to first text": answer.first_text_s}


PROMPT = Workload(
    name="prompt",
    summary="one new prompt of about 2000 tokens, one token generated",
    num_clients=4,
    n_ctx_per_client=4096,
    metrics=(Metric("time to first text", "s", is_rate=False),),
    measure=measure,
)
