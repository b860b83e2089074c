"""Whether two servers, asked greedily, generate the same tokens: alone, and among neighbours.

Every group of questions that are asked together gets servers just started, so that neither has
anything of earlier ones. With 16-bit floats in the KV cache, llama.cpp adds attention up in another
order where 64 or more tokens are computed at once; with bfloat16 values it has one order only.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from bench.client import Answer, ask, messages
from bench.process import Process, running
from bench.servers import Server, Sizes

NAME = "agreement"
SUMMARY = "20 greedy answers of 64 tokens, token for token: alone, and with 7 neighbours"
NUM_TOKENS = 64
NUM_NEIGHBOURS = 7
N_CTX_PER_CLIENT = 1024
SETTINGS: dict[str, list[str]] = {"default": [], "-ctv bf16": ["-ctv", "bf16"]}
QUESTIONS = (
    "What is the capital of France?",
    "Explain how a rainbow comes about.",
    "Write a short poem about the sea.",
    "List five uses of a paper clip.",
    "Who was Marie Curie?",
    "How do I boil an egg?",
    "Translate 'good morning' into Spanish and Italian.",
    "What is 17 times 23? Show your steps.",
    "Write a Python function that reverses a string.",
    "Why is the sky blue?",
    "Give me a recipe for pancakes.",
    "What are the planets of the solar system?",
    "Describe a forest in autumn.",
    "How does a bicycle stay upright?",
    "What is the difference between a virus and a bacterium?",
    "Write an email that asks for a day off.",
    "Name three inventions of the 19th century and say what each changed.",
    "What should I pack for a week in the mountains?",
    "Tell a story about a fox and a crow.",
    "How does a refrigerator work?",
)


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two answers part.

    Args:
        question: What was asked.
        position: The first token that differs, from 0.
        our_token: Ours there.
        their_token: Theirs.
        our_margin: How much likelier ours is than theirs by our figures, as a difference of
            logarithms; None where theirs is not among our likeliest.
        their_margin: The same the other way round.
    """

    question: str
    position: int
    our_token: str
    their_token: str
    our_margin: float | None
    their_margin: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What comparing all answers gave.

    Args:
        other: The other server.
        setting: `alone`, or with how many neighbours.
        num_answers: How many were compared.
        divergences: One for each answer that differs.
    """

    other: str
    setting: str
    num_answers: int
    divergences: list[Divergence]

    def text(self) -> str:
        """Return the outcome as lines for the terminal."""
        num_equal = self.num_answers - len(self.divergences)
        lines = [f"  {self.other}, {self.setting}: {num_equal} of {self.num_answers} equal"]
        lines += [
            f"    token {each.position}: {each.our_token!r} and {each.their_token!r}, margins "
            f"{_number(each.our_margin)} and {_number(each.their_margin)}: {each.question}"
            for each in self.divergences
        ]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as it goes into `bench.json`."""
        return asdict(self)


def sizes(n_threads: int) -> Sizes:
    """Return what the servers get."""
    return Sizes(NUM_NEIGHBOURS + 1, N_CTX_PER_CLIENT, n_threads)


def measure(ours: Server, others: list[Server], n_threads: int) -> Iterator[Agreement]:
    """Ask every server that takes requests at the same time, and compare with ours.

    Raises:
        ToolError: A server failed.
    """
    concurrent = [server for server in others if server.is_concurrent]
    for num_neighbours in (0, NUM_NEIGHBOURS):
        for setting, options in SETTINGS.items():
            our_answers = _answers(_with(ours, options), sizes(n_threads), num_neighbours)
            for other in concurrent:
                their_answers = _answers(_with(other, options), sizes(n_threads), num_neighbours)
                neighbours = f"with {num_neighbours} neighbours" if num_neighbours else "alone"
                yield Agreement(
                    other.name,
                    f"{neighbours}, {setting}",
                    len(QUESTIONS),
                    _divergences(our_answers, their_answers),
                )


def _divergences(ours: list[Answer], theirs: list[Answer]) -> list[Divergence]:
    return [
        found
        for question, one, two in zip(QUESTIONS, ours, theirs, strict=True)
        if (found := divergence(question, one.logprobs, two.logprobs))
    ]


def _with(server: Server, options: list[str]) -> Server:
    return replace(server, program=[*server.program, *options])


def divergence(
    question: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]
) -> Divergence | None:
    """Return where two answers part, or None.

    Args:
        question: What they answer.
        ours: Our tokens as OpenAI's `logprobs.content` tells them.
        theirs: Theirs.
    """
    for position, (one, two) in enumerate(zip(ours, theirs, strict=True)):
        if one["token"] != two["token"]:
            return Divergence(
                question,
                position,
                one["token"],
                two["token"],
                _margin(one, two["token"]),
                _margin(two, one["token"]),
            )
    return None


def _margin(chosen: dict[str, Any], rival: str) -> float | None:
    likelihoods = {top["token"]: top["logprob"] for top in chosen["top_logprobs"]}
    return chosen["logprob"] - likelihoods[rival] if rival in likelihoods else None


def _number(margin: float | None) -> str:
    return "unknown" if margin is None else f"{margin:.4f}"


def _answers(server: Server, sizes: Sizes, num_neighbours: int) -> list[Answer]:
    """Ask all questions, each while `num_neighbours` others are being answered."""
    num_at_once = num_neighbours + 1
    # Answers are equally long, so they end together; repeated questions keep the last ones company.
    num_missing = -len(QUESTIONS) % num_at_once
    questions = [*QUESTIONS, *QUESTIONS[:num_missing]]
    answers: list[Answer] = []
    for start in range(0, len(questions), num_at_once):
        group = questions[start : start + num_at_once]
        with running(server, sizes) as process, ThreadPoolExecutor(num_at_once) as clients:
            answers += clients.map(partial(_answer, process), group)
    return answers[: len(QUESTIONS)]


def _answer(process: Process, question: str) -> Answer:
    return ask(process, messages(question), NUM_TOKENS, logprobs=True, top_logprobs=5)
