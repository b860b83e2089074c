"""Tests of LoRA adapters of random weights, applied to a tiny model and refused by the real one."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from runtime.engine.adapters import AdapterFile, Adapters, AdapterScale
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import GenerationRequest
from runtime.engine.weights import Weights
from runtime.errors import AppError, DamagedFileError, RequestError, UnsupportedError, UsageError
from tests.runtime.engine.asking import Asked
from tests.tiny_lora import write_tiny_lora

PROMPT = "What is the capital of France: " * 3


def _submit(engine: Engine, lora: Mapping[int, float] | None) -> Asked:
    asked = Asked()
    prompt = engine.model.tokenize(PROMPT, add_special=True, parse_special=False)
    params = SamplingParams(temperature=0, ignore_eos=True)
    engine.submit(GenerationRequest(prompt, params, max_tokens=16, lora=lora), asked.events.put)
    return asked


def _cached(asked: Asked) -> int:
    asked.text()
    return asked.finished.stats.cached_tokens


def test_scales_change_the_text(exact: Engine) -> None:
    """An adapter changes the text by its scale, and with scale 0 it is as if it were not there."""
    texts = [
        _submit(exact, lora).text()
        for lora in (None, {0: 0.0}, {0: 1.0}, {1: 1.0}, {0: 0.5}, {0: 1.0, 1: 1.0})
    ]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 5


def test_neighbours_with_other_adapters_change_no_text(exact: Engine) -> None:
    """Requests with different scales at once give the same texts as alone."""
    kinds: list[Mapping[int, float] | None] = [None, {0: 1.0}, {0: 0.5}, {1: 1.0}]
    alone = [_submit(exact, lora).text() for lora in kinds]
    together = [_submit(exact, lora) for lora in kinds]
    assert [asked.text() for asked in together] == alone


def test_prefixes_are_kept_apart(exact: Engine) -> None:
    """The same prompt is found again by requests with the same scales, and by no others."""
    assert _cached(_submit(exact, {0: 0.25})) == 0
    assert _cached(_submit(exact, {0: 0.75})) == 0
    assert _cached(_submit(exact, {0: 0.25})) > 30
    assert _cached(_submit(exact, {0: 0.75})) > 30


def test_scales_that_hold(exact: Engine) -> None:
    """What is set holds for requests that say nothing, and only for them."""
    strong, none = _submit(exact, {0: 1.0}).text(), _submit(exact, {0: 0.0}).text()
    exact.adapters.set_scales({0: 1.0})
    try:
        assert _submit(exact, None).text() == strong
        assert _submit(exact, {1: 0.0}).text() == none
    finally:
        exact.adapters.set_scales({})
    assert _submit(exact, None).text() == none


def test_adapters_that_are_not_there_are_refused() -> None:
    """An unknown number gets one sentence; a set lists what is applied, by number."""
    adapters = Adapters([AdapterFile(Path("a"), "a"), AdapterFile(Path("b"), "b", scale=0.0)])
    assert adapters.resolve(None) == (AdapterScale(0, 1.0),)
    assert adapters.resolve({1: 2.0, 0: 0.5}) == (AdapterScale(0, 0.5), AdapterScale(1, 2.0))
    with pytest.raises(RequestError, match=r"no LoRA adapter 2; they are 0 to 1\."):
        adapters.resolve({2: 1.0})
    with pytest.raises(RequestError, match="there are none"):
        Adapters().set_scales({0: 1.0})
    with pytest.raises(UsageError, match="scale of the adapter a is nan"):
        AdapterFile(Path("a"), "a", scale=float("nan"))


@pytest.mark.usefixtures("binding")
@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("width", UnsupportedError, "bad.gguf was made for another model: .*shape"),
        ("architecture", UnsupportedError, "bad.gguf was made for another model: .*mismatch"),
        ("model", DamagedFileError, "bad.gguf: expect general.type to be 'adapter'"),
        ("text", DamagedFileError, "bad.gguf: failed to load"),
        ("cut", DamagedFileError, "bad.gguf: .*not within the file bounds"),
    ],
)
def test_what_is_no_adapter_of_this_model_is_told(
    gguf: Path, tmp_path: Path, kind: str, error: type[AppError], message: str
) -> None:
    """An adapter for another model, a damaged one, and what is none each get their sentence."""
    path = tmp_path / "bad.gguf"
    write_tiny_lora(
        path,
        n_embd=64 if kind == "width" else 576,
        architecture="qwen2" if kind == "architecture" else "llama",
    )
    if kind == "text":
        path.write_text("no adapter", encoding="utf-8")
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    if kind == "model":
        path = gguf
    options = EngineOptions(
        Weights(gguf, 0, gguf.stat().st_size),
        n_ctx=256,
        adapters=(AdapterFile(path, "bad.gguf"),),
    )
    with pytest.raises(error, match=message):
        load_model(options)
