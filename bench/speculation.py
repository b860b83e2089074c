"""What guessing tokens ahead gains where a text repeats its prompt, and costs where it does not.

`python -m bench.speculation` loads the demo's model twice in this process, with prompt lookup and
without, and asks both in turn. It prints, for each task, the median of the rates' ratios.
"""

import argparse
import queue
import statistics
import sys
from dataclasses import dataclass

from bench.demo_engine import demo_engine
from builder.native.llamacpp import expose_binding
from runtime.engine.engine import Engine
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import Event, Finished, GenerationRequest, TextDelta

N_CTX = 2048
NUM_TOKENS = 160
WORKERS = ("old", "young", "tall", "kind", "quiet", "busy", "calm", "glad")
PLANTS = ("roses", "tulips", "ferns", "lilies", "herbs", "beans", "oaks", "figs")
# About 250 words.
RULES = "\n".join(
    f"{number}. The {WORKERS[number % 8]} gardener waters the {PLANTS[number * 3 % 8]} in garden "
    f"{number * 7 % 40} before noon."
    for number in range(1, 17)
)
CODE = "\n".join(
    f"def {name}_of(items):\n    result = []\n    for item in items:\n"
    f"        if item.{name} is not None:\n            result.append(item.{name})\n"
    f"    return result\n"
    for name in PLANTS
)
REPEATED = {
    "a list, repeated": f"{RULES}\n\nThe same list again:\n\n{RULES[:80]}",
    "code, repeated": f"```python\n{CODE}```\n\nThe same file again:\n\n```python\n{CODE[:100]}",
}
QUESTIONS = {
    f"chat: {question}": (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    )
    for question in (
        "Write a short story about a fox.",
        "Explain how rain forms.",
        "Describe Tokyo to a visitor.",
    )
}


@dataclass(frozen=True, slots=True)
class Run:
    """One answer: its text, tokens a second after the first, and how many were guessed rightly."""

    text: str
    tokens_per_s: float
    num_drafted: int
    num_accepted: int


def main() -> None:
    """Measure every task and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    expose_binding()
    with (
        demo_engine(n_ctx=N_CTX, n_threads=options.threads, spec_type="ngram-simple") as guessing,
        demo_engine(n_ctx=N_CTX, n_threads=options.threads, spec_type="none") as plain,
    ):
        for task, prompt in (REPEATED | QUESTIONS).items():
            pairs = [(_ask(guessing, prompt), _ask(plain, prompt)) for _ in range(options.rounds)]
            sys.stdout.write(f"{task}: {_summary(pairs)}\n")
            sys.stdout.flush()


def _summary(pairs: list[tuple[Run, Run]]) -> str:
    ratio = statistics.median(ours.tokens_per_s / other.tokens_per_s for ours, other in pairs)
    rates = [
        statistics.median(run.tokens_per_s for run in runs) for runs in zip(*pairs, strict=True)
    ]
    ours, other = pairs[0]
    same = "the same text" if ours.text == other.text else "another text"
    return (
        f"{rates[0]:.1f} and {rates[1]:.1f} tokens/s, ratio {ratio:.2f}, "
        f"{ours.num_accepted} of {ours.num_drafted} guesses right, {same}"
    )


def _ask(engine: Engine, prompt: str) -> Run:
    events: queue.Queue[Event] = queue.Queue()
    tokens = engine.model.tokenize(prompt, add_special=True, parse_special=True)
    params = SamplingParams(temperature=0)
    engine.submit(GenerationRequest(tokens, params, max_tokens=NUM_TOKENS), events.put)
    text = ""
    while isinstance(event := events.get(), TextDelta):
        text += event.text
    assert isinstance(event, Finished), "no request of this program fails"
    stats = event.stats
    rate = (stats.completion_tokens - 1) / stats.generation_s
    return Run(text, rate, stats.drafted_tokens, stats.accepted_tokens)


if __name__ == "__main__":
    main()
