"""Eight clients that arrive together with the same long system prompt."""

from bench.client import ask, messages
from bench.process import running
from bench.servers import Server, Sizes
from bench.workloads.together import ask_together, median_first_text_s, tokens_per_s
from bench.workloads.workload import Metric, Workload, at_least

NUM_TOKENS = 32
# About 600 tokens.
SHARED_PROMPT = "You work at a help desk. " + " ".join(
    f"Rule {number}: read the question twice before you answer it." for number in range(1, 41)
)
CITIES = ("Rome", "Oslo", "Lima", "Cairo", "Delhi", "Tokyo", "Quito", "Paris")
QUESTIONS = {
    "cold": [f"What should a visitor know about {city}?" for city in CITIES],
    "warm": [f"Which food is {city} known for?" for city in CITIES],
}


def measure(server: Server, sizes: Sizes) -> dict[str, float]:
    """Ask eight questions with a prompt new to the server, and then eight others with it."""
    figures = {}
    with running(server, sizes) as process:
        ask(process, messages("Hello."), 8)
        for state, questions in QUESTIONS.items():
            conversations = [messages(question, SHARED_PROMPT) for question in questions]
            answers = ask_together(process, conversations, NUM_TOKENS)
            figures[f"{state}, all clients"] = tokens_per_s(answers)
            figures[f"{state}, to first text"] = median_first_text_s(answers)
    return figures


SHARED_PREFIX = Workload(
    name="shared-prefix",
    summary=f"8 clients at once, prompts of about 600 tokens begin alike, {NUM_TOKENS} tokens each",
    num_clients=len(CITIES),
    n_ctx_per_client=1024,
    metrics=(
        Metric("cold, all clients", "tokens/s", is_rate=True, target=at_least(6.0)),
        Metric("cold, to first text", "s", is_rate=False),
        Metric("warm, all clients", "tokens/s", is_rate=True),
        Metric("warm, to first text", "s", is_rate=False),
    ),
    measure=measure,
)
