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
    # One token: the more there are, the less a short memory still has of the prompt.
    probe = prefix[:1]
    expected = _after(runner, len(prefix), probe)
    runner.cut(0, 0)
    is_taken = runner.load_state(0, state)
    found = _after(runner, len(prefix), probe) if is_taken else None
    runner.cut(0, 0)
    return found is not None and _is_alike(expected, found)


def _after(runner: ModelRunner, start: int, probe: list[int]) -> Choice:
    """Return what is likeliest behind one more token."""
    runner.decode([BatchSlice(0, start, probe, True)])
    return runner.choice(0, probe[0], _NUM_RIVALS)


def _is_alike(expected: Choice, found: Choice) -> bool:
    return all(
        one.token == other.token and abs(one.logprob - other.logprob) <= _TOLERANCE
        for one, other in zip(expected.top, found.top, strict=True)
    )
