"""How many layers, and how much context, the free memory of GPUs has room for."""

from collections.abc import Callable, Mapping

import msgspec

# Below this a context is not shortened to win layers; llama.cpp's own limit.
MIN_N_CTX = 4096
_GRANULE = 256

Measure = Callable[[int, int], Mapping[int, int]]


class Fit(msgspec.Struct, frozen=True):
    """What fits.

    Args:
        num_layers: Layers on GPUs.
        n_ctx: Tokens of context that fit beside them.
    """

    num_layers: int
    n_ctx: int


def fit(
    measure: Measure,
    budgets: Mapping[int, int],
    *,
    num_layers: int,
    n_ctx: int,
    can_shorten: bool,
) -> Fit:
    """Choose as many layers as fit; before layers go, the context gets shorter.

    Args:
        measure: Returns the bytes that so many layers and so long a context take of each device.
        budgets: The bytes that each device has for them.
        num_layers: The model's layers, with the output.
        n_ctx: Tokens of context that are wanted.
        can_shorten: Whether the context may be shorter.
    """
    needs = measure(num_layers, n_ctx)
    if _fits(needs, budgets):
        return Fit(num_layers, n_ctx)
    if can_shorten and n_ctx > MIN_N_CTX:
        least = measure(num_layers, MIN_N_CTX)
        if _fits(least, budgets):
            return Fit(num_layers, _longest(least, needs, budgets, n_ctx))
        n_ctx = MIN_N_CTX
    most, too_many = 0, num_layers
    while too_many - most > 1:
        middle = (most + too_many) // 2
        if _fits(measure(middle, n_ctx), budgets):
            most = middle
        else:
            too_many = middle
    return Fit(most, n_ctx)


def _fits(needs: Mapping[int, int], budgets: Mapping[int, int]) -> bool:
    return all(needed <= budgets.get(device, 0) for device, needed in needs.items())


def _longest(
    least: Mapping[int, int], needs: Mapping[int, int], budgets: Mapping[int, int], n_ctx: int
) -> int:
    """Return the context that all devices have room for: what it takes grows with its length."""
    longest = n_ctx
    for device, needed in needs.items():
        if needed > budgets[device]:
            room = budgets[device] - least[device]
            per_token = (needed - least[device]) / (n_ctx - MIN_N_CTX)
            longest = min(longest, MIN_N_CTX + int(room / per_token))
    return longest // _GRANULE * _GRANULE
