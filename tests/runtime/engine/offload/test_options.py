"""Flags of GPUs mean what they mean to llama-server."""

from typing import Any

import pytest

from runtime.engine.offload.options import MIB, OffloadOptions
from runtime.errors import UsageError


@pytest.mark.parametrize(
    ("text", "number"),
    [("auto", None), ("-1", None), ("all", -2), ("-2", -2), ("0", 0), ("99", 99)],
)
def test_layers(text: str, number: int | None) -> None:
    """A number, or a word for one; llama.cpp itself counts `auto` as -1 and `all` as -2."""
    assert OffloadOptions(gpu_layers=text).num_layers == number


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("gpu_layers", "many", "gpu-layers is 'many', and must be a number, auto or all"),
        ("split_mode", "rows", "split-mode is 'rows', which is none of none, layer, row, tensor"),
        ("tensor_split", "3,x", "tensor-split is '3,x', and must be numbers between commas"),
        ("tensor_split", "3,-1", "tensor-split is '3,-1', and must be numbers"),
        ("tensor_split", ",".join("1" * 16), "at most 15"),
        ("fit_target", "much", "fit-target is 'much', and must be numbers"),
    ],
)
def test_what_has_no_sense(field: str, value: str, message: str) -> None:
    """It is refused before anything is loaded."""
    given: dict[str, Any] = {field: value}
    with pytest.raises(UsageError, match=message):
        OffloadOptions(**given)


def test_shares_are_divided_by_commas_and_slashes() -> None:
    """As llama.cpp divides them."""
    assert OffloadOptions(tensor_split="3,1/2").shares() == [3, 1, 2]
    assert OffloadOptions().shares() == []


def test_one_reserve_is_for_all_devices() -> None:
    """Several are for one each, and the last for those that follow."""
    assert OffloadOptions().reserves(2) == [1024 * MIB] * 2
    assert OffloadOptions(fit_target="0,5").reserves(3) == [0, 5 * MIB, 5 * MIB]
    assert OffloadOptions(fit_target="1,2,3").reserves(1) == [MIB]
