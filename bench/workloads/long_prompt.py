"""A long prompt that arrives while seven others chat: how long they wait for their next words."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise

from bench.client import TIMEOUT_S, Answer, ask, messages
from bench.process import running
from bench.prompts import text
from bench.servers import Server, Sizes
from bench.workloads.workload import Metric, Workload, at_most

NUM_CHATTING = 7
CHAT_TOKENS = 256
# The long prompt comes when everybody has this much of an answer.
TOKENS_BEFORE = 8
# About 3000 tokens.
NUM_WORDS = 2400


def measure(server: Server, sizes: Sizes) -> dict[str, float]:
    """Time the gaps between the others' texts from the long prompt's arrival to its answer."""
    begun = threading.Barrier(NUM_CHATTING + 1, timeout=TIMEOUT_S)
    with running(server, sizes) as process, ThreadPoolExecutor(NUM_CHATTING) as clients:
        ask(process, messages("Hello."), 8)

        def chat(number: int) -> Answer:
            texts = count(1)

            def wait_for_all(_: float) -> None:
                if next(texts) == TOKENS_BEFORE:
                    begun.wait()

            return ask(process, messages(text(number, 30)), CHAT_TOKENS, on_text=wait_for_all)

        chats = [clients.submit(chat, number) for number in range(1, NUM_CHATTING + 1)]
        begun.wait()
        long = ask(process, messages(text(100, NUM_WORDS)), 8)
        gaps = sorted(
            gap
            for chatting in chats
            for gap in gaps_between(chatting.result().arrivals, long.sent, long.arrivals[0])
        )
    return {
        "worst gap": gaps[-1],
        "99 % of gaps": gaps[round(0.99 * (len(gaps) - 1))],
        "long prompt to first text": long.first_text_s,
    }


def gaps_between(arrivals: list[float], start: float, end: float) -> list[float]:
    """Return the gaps of which some part lies between two times, in seconds.

    Args:
        arrivals: When texts came, in order.
        start: The first time.
        end: The second.
    """
    return [
        later - earlier for earlier, later in pairwise(arrivals) if later > start and earlier < end
    ]


LONG_PROMPT = Workload(
    name="long-prompt",
    summary=f"about 3000 tokens arrive while {NUM_CHATTING} clients get {CHAT_TOKENS} each",
    num_clients=NUM_CHATTING + 1,
    n_ctx_per_client=4096,
    metrics=(
        Metric("worst gap", "s", is_rate=False, target=at_most(1.0)),
        Metric("99 % of gaps", "s", is_rate=False),
        Metric("long prompt to first text", "s", is_rate=False),
    ),
    measure=measure,
    needs_concurrency=True,
)
