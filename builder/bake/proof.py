"""Whether a model goes on from a saved state as from its own memory.

llama.cpp has many kinds of memory, and new ones come; a kind whose state leaves something out would
be found by nobody who reads the answers.
"""

from runtime.engine.model_runner import ModelRunner
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.types import BatchSlice

_NUM_RIVALS = 8
# The cells lie where they lay, so there is no rounding to allow for; this is far below what a
# missing cell changes.
_TOLERANCE = 0.01


def goes_on_alike(runner: ModelRunner, prefix: list[int], state: memoryview) -> bool:
    """Say whether what follows a prompt is as likely after its state was saved and restored.

    Args:
        runner: Its sequence 0 holds the prompt and nothing else does; afterwards it is empty.
        prefix: The prompt, shorter than the context.
        state: What was saved of it.
    """
    expected = _continuations(runner, prefix)
    runner.cut(0, 0)
    found = _continuations(runner, prefix) if runner.load_state(0, state) else []
    runner.cut(0, 0)
    return len(found) == len(expected) and all(map(_is_alike, expected, found))


def _continuations(runner: ModelRunner, prefix: list[int]) -> list[Choice]:
    """Return what is likeliest behind a prompt, and behind its half where that can be shared.

    One more token is computed: the more, the less a short memory still has of the prompt.
    """
    lengths = [len(prefix), len(prefix) // 2] if runner.can_cut_memory else [len(prefix)]
    choices = []
    for length in lengths:
        if length < len(prefix):
            runner.cut(0, length)
        runner.decode([BatchSlice(0, length, prefix[:1], True)])
        choices.append(runner.choice(0, prefix[0], _NUM_RIVALS))
    return choices


def _is_alike(expected: Choice, found: Choice) -> bool:
    return all(
        one.token == other.token and abs(one.logprob - other.logprob) <= _TOLERANCE
        for one, other in zip(expected.top, found.top, strict=True)
    )
