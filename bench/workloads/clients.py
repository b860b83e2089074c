"""More and more clients at once, whose prompts have nothing in common."""

from bench.client import ask, messages
from bench.process import running
from bench.prompts import text
from bench.servers import Server, Sizes
from bench.workloads.together import ask_together, tokens_per_s
from bench.workloads.workload import Metric, Workload, at_least

COUNTS = (1, 2, 4, 8, 16)
# About 100 tokens with the chat template.
NUM_WORDS = 60
NUM_TOKENS = 64


def measure(server: Server, sizes: Sizes) -> dict[str, float]:
    """Let 1, 2, 4, 8 and 16 clients ask one server, each time something new."""
    rates = {}
    with running(server, sizes) as process:
        ask(process, messages("Hello."), 8)
        for count in COUNTS:
            prompts = [text(1000 * count + client, NUM_WORDS) for client in range(count)]
            answers = ask_together(process, map(messages, prompts), NUM_TOKENS)
            rates[_name(count)] = tokens_per_s(answers)
    return rates


def _name(count: int) -> str:
    return f"{count} client{'s' if count > 1 else ''}"


CLIENTS = Workload(
    name="clients",
    summary=f"clients at once with prompts of about 100 tokens, {NUM_TOKENS} tokens each",
    num_clients=max(COUNTS),
    n_ctx_per_client=512,
    metrics=tuple(
        Metric(_name(count), "tokens/s", is_rate=True, target=at_least(1.0) if count == 8 else None)
        for count in COUNTS
    ),
    measure=measure,
)
