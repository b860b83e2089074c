"""Tests that images are read as llama.cpp's own helper reads them, and shared like text."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from runtime.engine.attention import AttentionOptions
from runtime.engine.context_size import ContextSizeError
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import GenerationRequest
from runtime.engine.vision import Vision
from runtime.engine.weights import Weights
from runtime.errors import AppError, DamagedFileError, RequestError, UnsupportedError
from tests.images import png
from tests.runtime.engine.asking import Asked
from tests.runtime.engine.mtmd_reference import logprobs_by_helper
from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.tiny_projector import write_tiny_projector

_HEAD_SIZE = 32
_N_EMBD = 2 * _HEAD_SIZE
_GREEDY = SamplingParams(temperature=0, ignore_eos=True)
# What libmtmd writes around an image for each kind of projector.
_MARKS = ["<start_of_image>", "<end_of_image>", "<|vision_start|>", "<|vision_end|>"]
KINDS = ["mlp", "gemma3", "qwen2vl_merger"]
# A wrong cell or position makes a logarithm of a likelihood differ by more than a tenth.
TOLERANCE = 1e-3


def _weights(path: Path) -> Weights:
    return Weights(path, 0, path.stat().st_size)


@dataclass(frozen=True)
class Seeing:
    """An engine with a projector of some kind."""

    kind: str
    options: EngineOptions
    engine: Engine

    def request(self, *parts: str | bytes, max_tokens: int = 8) -> GenerationRequest:
        """Return a prompt of texts and images."""
        prompt = self.engine.read(parts, add_special=True)
        return GenerationRequest(
            prompt.tokens, _GREEDY, max_tokens, num_top_logprobs=0, images=prompt.images
        )

    def ask(self, *requests: GenerationRequest) -> list["Answer"]:
        """Ask everything at once."""
        asked = [Asked() for _ in requests]
        for request, one in zip(requests, asked, strict=True):
            self.engine.submit(request, one.events.put)
        return [_answer(one) for one in asked]


@dataclass(frozen=True)
class Answer:
    """The tokens, how likely each was, and how much of the prompt was found."""

    tokens: list[int]
    logprobs: list[float]
    num_cached: int


def _answer(asked: Asked) -> Answer:
    chosen = [choice.chosen for delta in asked.deltas() for choice in delta.choices]
    return Answer(
        [one.token for one in chosen],
        [one.logprob for one in chosen],
        asked.finished.stats.cached_tokens,
    )


@pytest.fixture(scope="module", params=KINDS)
def seeing(
    binding: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seeing]:
    """A tiny model that sees, all float32; shared by the tests."""
    kind: str = request.param
    folder = tmp_path_factory.mktemp(kind)
    write_tiny_llama(
        folder / "model.gguf",
        head_size=_HEAD_SIZE,
        num_layers=2,
        has_mrope=kind == "qwen2vl_merger",
        control_tokens=_MARKS,
    )
    write_tiny_projector(folder / "projector.gguf", n_embd=_N_EMBD, kind=kind)
    options = EngineOptions(
        _weights(folder / "model.gguf"),
        n_ctx=512,
        n_threads=1,
        attention=AttentionOptions("f32", "f32", flash_attn="off"),
        projector=_weights(folder / "projector.gguf"),
    )
    engine = Engine.start(options)
    engine.wait_until_loaded()
    yield Seeing(kind, options, engine)
    engine.stop()


def test_an_image_is_read_as_llama_cpp_reads_it(seeing: Seeing) -> None:
    """Likelihoods are those that llama.cpp's helper gives in a context of its own."""
    parts = ("Look. ", png(1, 64, 32), "and ", png(2), "which is larger:")
    [answer] = seeing.ask(seeing.request(*parts))
    expected = logprobs_by_helper(seeing.options, parts, answer.tokens)
    assert answer.logprobs == pytest.approx(expected, abs=TOLERANCE)


def test_an_equal_image_is_found_in_the_cache(seeing: Seeing) -> None:
    """The same image at the same place is not computed again, and gives the same answer."""
    request = seeing.request("What is on this: ", png(3), "Tell me.")
    first, second = seeing.ask(request)[0], seeing.ask(request)[0]
    assert second.num_cached == len(request.prompt) - 1
    assert second.tokens == first.tokens
    assert second.logprobs == pytest.approx(first.logprobs, abs=TOLERANCE)
    longer = seeing.request("What is on this: ", png(3), "Tell me. ", png(4), "And this:")
    [third] = seeing.ask(longer)
    assert third.num_cached > longer.images[0].end
    assert third.logprobs == pytest.approx(_alone(seeing, longer).logprobs, abs=TOLERANCE)


def test_another_image_is_another_prompt(seeing: Seeing) -> None:
    """Of an equal text with another image only what stands before it is found."""
    requests = [seeing.request("What is on this: ", png(seed), "Tell me.") for seed in (5, 6)]
    first, second = (seeing.ask(request)[0] for request in requests)
    assert second.num_cached == requests[1].images[0].start
    assert first.logprobs[0] != pytest.approx(second.logprobs[0], abs=10 * TOLERANCE)


def test_neighbours_are_not_disturbed(seeing: Seeing) -> None:
    """Texts and images side by side, some of them begun alike, are answered as if alone."""
    requests = [
        seeing.request("abc abc abc", max_tokens=30),
        seeing.request("abc ", png(7), "abc abc", max_tokens=20),
        seeing.request("abc ", png(7), "abc ", png(8), "abd", max_tokens=20),
        seeing.request("abc ", png(8), "abc abc", max_tokens=20),
        seeing.request("and a text", max_tokens=30),
    ]
    for request, answer in zip(requests, seeing.ask(*requests), strict=True):
        alone = _alone(seeing, request)
        assert answer.tokens == alone.tokens
        assert answer.logprobs == pytest.approx(alone.logprobs, abs=TOLERANCE)


def test_images_fit_into_too_few_cells(seeing: Seeing) -> None:
    """Where cells run out, images give way and are computed again."""
    small = replace(seeing.options, n_ctx=256)
    engine = Engine.start(small)
    few = Seeing(seeing.kind, small, engine)
    requests = [
        few.request("abc ", png(10 + seed), "abc", png(20 + seed), "x" * 20, max_tokens=100)
        for seed in range(4)
    ]
    answers = few.ask(*requests)
    assert engine.metrics.num_preemptions or engine.metrics.num_evictions
    engine.stop()
    for request, answer in zip(requests, answers, strict=True):
        alone = _alone(seeing, request)
        assert answer.logprobs == pytest.approx(alone.logprobs, abs=TOLERANCE)


def test_an_image_larger_than_a_batch(seeing: Seeing) -> None:
    """It is computed in several where it is causal, and else refused with what to do."""
    small = replace(seeing.options, n_batch=14, n_ubatch=3)
    engine = Engine.start(small)
    few = Seeing(seeing.kind, small, engine)
    if seeing.kind == "gemma3":
        with pytest.raises(RequestError, match=r"4 tokens, and 3 are .* --ubatch-size 4"):
            few.request("abc ", png(1), "abc")
    else:
        request = few.request("abc ", png(1, 64, 64), "abc")
        assert request.images[0].length > small.n_batch
        [answer] = few.ask(request)
        alone = _alone(seeing, request)
        assert answer.logprobs == pytest.approx(alone.logprobs, abs=TOLERANCE)
    engine.stop()


def test_a_full_context_ends_an_answer_with_images(seeing: Seeing) -> None:
    """Nothing of a prompt with images is forgotten, even where the request allows that."""
    request = replace(seeing.request("abc ", png(1), "abc"), max_tokens=None, n_keep=0)
    [answer] = seeing.ask(request)
    assert len(request.prompt) + len(answer.tokens) == seeing.engine.n_ctx


def test_a_projector_inside_a_file(seeing: Seeing, tmp_path: Path) -> None:
    """It is read from where it lies, and gives what the file alone gives."""
    assert seeing.options.projector
    content = seeing.options.projector.path.read_bytes()
    (tmp_path / "inside").write_bytes(bytes(4096) + content + bytes(100))
    inside = Weights(tmp_path / "inside", 4096, len(content))
    vision = _open_vision(seeing, inside)
    read = vision.read(["a", png(1), "b"], add_special=True, n_ctx=512)
    alone = seeing.request("a", png(1), "b")
    assert read.tokens == alone.prompt
    assert list(read.images[0].embedding) == list(alone.images[0].embedding)
    vision.close()


@pytest.mark.parametrize(
    ("content", "error", "reason"),
    [
        (b"GGUF", DamagedFileError, "llama.cpp cannot load the projector"),
        (None, UnsupportedError, "was made for another model: mismatch between text model"),
    ],
)
def test_a_projector_that_cannot_be_used(
    seeing: Seeing,
    tmp_path: Path,
    content: bytes | None,
    error: type[AppError],
    reason: str,
) -> None:
    """One that is damaged, or for another model, is named with the reason."""
    path = tmp_path / "projector.gguf"
    write_tiny_projector(path, n_embd=2 * _N_EMBD)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=reason):
        _open_vision(seeing, _weights(path))


def test_what_cannot_be_read(seeing: Seeing) -> None:
    """A damaged image, a prompt that ends with one, and one too long are refused."""
    with pytest.raises(RequestError, match="An image cannot be read"):
        seeing.request("a", png(1)[:60], "b")
    with pytest.raises(ContextSizeError):
        seeing.request(*(png(1) for _ in range(200)), "b")
    if seeing.kind == "mlp":
        with pytest.raises(RequestError, match="The prompt ends with an image"):
            seeing.request("a", png(1))


def _open_vision(seeing: Seeing, projector: Weights) -> Vision:
    return Vision.open(seeing.engine.model, projector, n_threads=1, n_ubatch=512)


def _alone(seeing: Seeing, request: GenerationRequest) -> Answer:
    """Answer a request in a context of its own."""
    model, runner = load_model(replace(seeing.options, projector=None))
    engine = Engine(lambda: (model, runner), max_running=1)
    engine.start_thread()
    try:
        return Seeing(seeing.kind, seeing.options, engine).ask(request)[0]
    finally:
        engine.stop()
        runner.close()
        model.close()
