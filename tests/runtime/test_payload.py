"""Tests of what a run takes from the model it serves."""

from pathlib import Path

import msgspec
import pytest

from runtime.cli.command import load_options
from runtime.engine.weights import Weights
from runtime.manifest import Manifest
from runtime.payload import Payload
from runtime.settings.values import Settings
from tests.runtime.test_manifest import MANIFEST


@pytest.mark.parametrize(
    ("quantization", "asked", "expected"),
    [
        ("Q4_0", None, True),
        ("Q4_K_M", None, False),
        ("Q4_0", False, False),
        ("Q8_0", True, True),
    ],
)
@pytest.mark.usefixtures("binding")
def test_only_q4_0_is_repacked_unasked(
    quantization: str, asked: bool | None, expected: bool
) -> None:
    """Weights that gain in every way are repacked; a setting decides otherwise."""
    payload = Payload(Path("model"), Weights(Path("model"), 0, 1), _manifest(quantization))
    assert load_options(payload, Settings(repack=asked)).repack is expected


@pytest.mark.usefixtures("binding")
def test_a_plain_gguf_stays_mapped() -> None:
    """Nothing says what quantization it has."""
    payload = Payload(Path("a.gguf"), Weights(Path("a.gguf"), 0, 1), None)
    assert not load_options(payload, Settings()).repack


def _manifest(quantization: str) -> Manifest:
    return msgspec.structs.replace(
        MANIFEST, model=msgspec.structs.replace(MANIFEST.model, quantization=quantization)
    )
