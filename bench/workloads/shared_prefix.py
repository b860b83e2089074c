"""Eight clients that arrive together with the same long system prompt."""

from dataclasses import dataclass

from bench.client import ask, messages
from bench.process import running
from bench.servers import Server, Sizes
from bench.workloads.together import ask_together, median_first_text_s, tokens_per_s
from bench.workloads.workload import Metric, Workload, at_least

CITIES = ("Rome", "Oslo", "Lima", "Cairo", "Delhi", "Tokyo", "Quito", "Paris")


def _long_prompt(job: str) -> str:
    """Return a system prompt of about 600 tokens."""
    rules = (
        f"Rule {number}: read the question twice before you answer it." for number in range(1, 41)
    )
    return f"You work at a {job}. {' '.join(rules)}"


@dataclass(frozen=True, slots=True)
class _Wave:
    """Eight questions at once.

    Args:
        name: What its figures are called.
        prompt: The system prompt they share.
        question: What each client asks of its city.
        num_tokens: How long each answer is.
    """

    name: str
    prompt: str
    question: str
    num_tokens: int


WAVES = (
    _Wave("cold, 8 tokens each", _long_prompt("library"), "Is {city} far from Madrid?", 8),
    _Wave("cold", _long_prompt("help desk"), "What should a visitor know about {city}?", 32),
    _Wave("warm", _long_prompt("help desk"), "Which food is {city} known for?", 32),
)


def measure(server: Server, sizes: Sizes) -> dict[str, float]:
    """Ask eight questions with a prompt new to the server, twice, and then with a known one."""
    figures = {}
    with running(server, sizes) as process:
        ask(process, messages("Hello."), 8)
        for wave in WAVES:
            questions = [wave.question.format(city=city) for city in CITIES]
            conversations = [messages(question, wave.prompt) for question in questions]
            answers = ask_together(process, conversations, wave.num_tokens)
            figures[f"{wave.name}, all clients"] = tokens_per_s(answers)
            figures[f"{wave.name}, to first text"] = median_first_text_s(answers)
    return figures


SHARED_PREFIX = Workload(
    name="shared-prefix",
    summary="8 clients at once, prompts of about 600 tokens begin alike, 8 or 32 tokens each",
    num_clients=len(CITIES),
    n_ctx_per_client=1024,
    metrics=(
        Metric("cold, 8 tokens each, all clients", "tokens/s", is_rate=True, target=at_least(6.0)),
        Metric("cold, 8 tokens each, to first text", "s", is_rate=False),
        Metric("cold, all clients", "tokens/s", is_rate=True, target=at_least(6.0)),
        Metric("cold, to first text", "s", is_rate=False),
        Metric("warm, all clients", "tokens/s", is_rate=True),
        Metric("warm, to first text", "s", is_rate=False),
    ),
    measure=measure,
)
