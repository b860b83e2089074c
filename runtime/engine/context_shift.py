"""Making room in a full context: a sequence forgets the older half of what it need not keep."""

from runtime.engine.sequence import Sequence

# At least this many tokens of the context are not kept, or shifting would gain nothing.
MIN_NOT_KEPT = 4


def forget_half(sequence: Sequence, n_ctx: int) -> int:
    """Drop half of the tokens behind those the request keeps; what follows them moves up.

    Args:
        sequence: As long as the context, and not to be ended by it.
        n_ctx: The context's tokens.

    Returns:
        How many of the first tokens are as they were.
    """
    n_keep = sequence.request.n_keep
    assert n_keep is not None, "its request allows shifting"
    num_kept = sequence.num_prompt_tokens if n_keep < 0 else n_keep
    # The first token stays: attention rests on it, and text falls apart without.
    num_kept = min(max(1, num_kept), n_ctx - MIN_NOT_KEPT)
    num_dropped = (len(sequence.tokens) - num_kept) // 2
    del sequence.tokens[num_kept : num_kept + num_dropped]
    sequence.num_forgotten += num_dropped
    # It knows places that are others now.
    sequence.lookup = None
    return num_kept
