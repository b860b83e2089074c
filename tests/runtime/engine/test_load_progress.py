"""Tests of how far loading has come."""

from pathlib import Path

import pytest

from runtime import machine
from runtime.engine.load_progress import LoadProgress
from runtime.engine.weights import LoadOptions, Weights

MIB = 1 << 20


@pytest.mark.parametrize("options", [LoadOptions(repack=True), LoadOptions(mmap=False)])
def test_copies_are_counted_as_they_grow(options: LoadOptions) -> None:
    """From the moment that something is there up to, but not, the end."""
    if machine.anonymous_bytes() is None:
        pytest.skip("this system does not tell what a process holds")
    progress = LoadProgress(Weights(Path("model.gguf"), 0, 256 * MIB), options)
    assert progress.share is None
    half = bytearray(b"1") * (128 * MIB)
    assert progress.share == pytest.approx(0.5, abs=0.1)
    rest = bytearray(b"1") * (160 * MIB)
    assert progress.share == 0.99
    assert len(half) + len(rest) > 256 * MIB


def test_mapped_weights_tell_nothing() -> None:
    """They take no memory of ours, and no time."""
    progress = LoadProgress(Weights(Path("model.gguf"), 0, MIB), LoadOptions())
    held = bytearray(b"1") * (32 * MIB)
    assert progress.share is None
    assert held
