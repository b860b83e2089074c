"""Tests of the KV cache's types and RoPE: what they cost, what is refused, and real answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.engine.attention import CACHE_TYPES, AttentionOptions
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.weights import LoadOptions, Weights
from runtime.errors import UnsupportedError, UsageError
from tests.runtime.engine.asking import ask
from tests.runtime.engine.tiny_llama import write_tiny_llama

PROMPT = (
    "<|im_start|>user\nName the capital of France.<|im_end|>\n<|im_start|>assistant\n"
    "The capital of France is"
)


@contextmanager
def _engine(
    gguf: Path, attention: AttentionOptions, loading: LoadOptions | None = None
) -> Iterator[Engine]:
    """Give a loaded engine, and free it all in the end."""
    options = EngineOptions(
        Weights(gguf, 0, gguf.stat().st_size),
        n_ctx=512,
        # Threads that wait for each other stand still while other programs use the cores.
        n_threads=1,
        loading=loading or LoadOptions(),
        attention=attention,
    )
    model, runner = load_model(options)
    engine = Engine(lambda: (model, runner), max_running=1)
    engine.start_thread()
    try:
        yield engine
    finally:
        engine.stop()
        runner.close()
        model.close()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"cache_type_k": "q9"}, r"cache-type-k is 'q9', which is none of f32, f16, .*q5_1\."),
        ({"cache_type_v": ""}, "cache-type-v is '', which is none of"),
        ({"flash_attn": "maybe"}, "flash-attn is 'maybe', which is none of auto, off, on"),
        ({"rope_scaling": "cubic"}, "rope-scaling is 'cubic'"),
        ({"rope_scale": 0.0}, "rope-scale is 0, and must be above 0"),
        ({"rope_freq_base": -1.0}, "rope-freq-base is -1"),
        ({"rope_scale": 2.0, "rope_freq_scale": 0.5}, "the same thing twice"),
        (
            {"cache_type_v": "q8_0", "flash_attn": "off"},
            "q8_0 needs flash attention, which is turned off.*--flash-attn",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, str | float], message: str) -> None:
    """A wrong name, a scale of nothing and what does not go together get one sentence."""
    with pytest.raises(UsageError, match=message):
        AttentionOptions(**asked)  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize(
    ("keys", "values", "expected"),
    [("f16", "f16", 256), ("f32", "bf16", 384), ("q8_0", "q8_0", 136), ("q4_0", "f16", 164)],
)
def test_a_cell_costs_what_its_types_take(keys: str, values: str, expected: int) -> None:
    """Quantized types take their blocks' scales, too."""
    assert AttentionOptions(keys, values).bytes_per_cell(64, 64) == expected


@pytest.mark.usefixtures("binding")
@pytest.mark.parametrize("name", CACHE_TYPES)
def test_every_type_answers(gguf: Path, name: str) -> None:
    """With each type for keys and values the model still knows its capitals."""
    with _engine(gguf, AttentionOptions(name, name)) as engine:
        assert "Paris" in ask(engine, PROMPT, max_tokens=8, temperature=0)


@pytest.mark.usefixtures("binding")
@pytest.mark.parametrize("flash_attn", ["on", "off"])
def test_flash_attention_changes_no_answer(gguf: Path, flash_attn: str) -> None:
    """Quantized keys go without flash attention, too."""
    with _engine(gguf, AttentionOptions("q8_0", flash_attn=flash_attn)) as engine:
        assert "Paris" in ask(engine, PROMPT, max_tokens=8, temperature=0)


@pytest.mark.usefixtures("binding")
def test_rope_reaches_the_context(gguf: Path) -> None:
    """Scaling changes the text, both spellings of a scale do the same, and the base matters."""
    texts = {}
    for name, attention in {
        "none": AttentionOptions(),
        "scale": AttentionOptions(rope_scaling="linear", rope_scale=4),
        "frequency": AttentionOptions(rope_scaling="linear", rope_freq_scale=0.25),
        "yarn": AttentionOptions(rope_scaling="yarn", rope_scale=4, yarn_orig_ctx=256),
        "base": AttentionOptions(rope_freq_base=1000),
    }.items():
        with _engine(gguf, attention) as engine:
            texts[name] = ask(engine, PROMPT, max_tokens=24, temperature=0, ignore_eos=True)
    assert texts["scale"] == texts["frequency"]
    assert len(set(texts.values())) == 4


@pytest.mark.usefixtures("binding")
def test_a_type_that_does_not_fit_the_heads_is_told(tmp_path: Path) -> None:
    """A quantized type needs heads of whole blocks, and the error says so."""
    path = tmp_path / "tiny.gguf"
    write_tiny_llama(path, head_size=16)
    options = EngineOptions(
        Weights(path, 0, path.stat().st_size), n_ctx=256, attention=AttentionOptions("q8_0")
    )
    with pytest.raises(UnsupportedError, match=r"types: .*q8_0.*32.*--cache-type-k"):
        load_model(options)


@pytest.mark.usefixtures("binding")
def test_smaller_types_leave_room_for_a_longer_context(
    gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The context chosen by the free memory follows the cache's types."""
    size = gguf.stat().st_size
    monkeypatch.setattr("runtime.machine.memory_available_bytes", lambda: size + 50_000_000)
    lengths = []
    for name in ("f16", "q4_0"):
        attention = AttentionOptions(name, name)
        model, runner = load_model(EngineOptions(Weights(gguf, 0, size), attention=attention))
        lengths.append(runner.n_ctx)
        runner.close()
        model.close()
    assert lengths[1] > 3 * lengths[0]
