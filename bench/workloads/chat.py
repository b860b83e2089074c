"""A chat of ten turns: how soon each answer begins, and what memory the server holds at the end."""

import statistics

from bench.client import ask, messages
from bench.process import running
from bench.servers import Server, Sizes
from bench.workloads.workload import Metric, Target, Workload, at_most

NUM_TOKENS = 48
TURNS = (
    "I want to plan a small vegetable garden. Where do I begin?",
    "Which vegetables are easy for a beginner?",
    "How often should I water them in summer?",
    "What kind of soil do tomatoes like?",
    "How do I keep snails away?",
    "Can I grow herbs on a balcony instead?",
    "Which herbs need the least light?",
    "How do I dry herbs for the winter?",
    "What should I do with the garden in autumn?",
    "Please sum up what we talked about.",
)


def measure(server: Server, sizes: Sizes) -> dict[str, float]:
    """Chat with a server, and look at its memory after the last answer."""
    conversation = messages(TURNS[0])[:1]
    seconds = []
    with running(server, sizes) as process:
        for turn in TURNS:
            conversation.append({"role": "user", "content": turn})
            answer = ask(process, conversation, NUM_TOKENS)
            conversation.append({"role": "assistant", "content": answer.text})
            seconds.append(answer.first_text_s)
        memory = process.memory()
    return {
        "turn 2+ to first text": statistics.median(seconds[1:]),
        "private memory": memory.private,
        "anonymous memory": memory.anonymous,
        "total memory": memory.total,
    }


CHAT = Workload(
    name="chat",
    summary=f"ten turns with answers of {NUM_TOKENS} tokens, and the server's memory after them",
    num_clients=4,
    n_ctx_per_client=2048,
    metrics=(
        Metric("turn 2+ to first text", "s", is_rate=False, target=at_most(1.05)),
        Metric("private memory", "MB", is_rate=False, target=Target("difference", 60, True)),
        Metric("anonymous memory", "MB", is_rate=False),
        Metric("total memory", "MB", is_rate=False),
    ),
    measure=measure,
)
