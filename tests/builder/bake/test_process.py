"""Baking with the real model, and the engine that starts with what was baked."""

import hashlib
from pathlib import Path

import pytest

from builder.bake.prompt import BakeJob, file_name
from builder.child import ChildFailedError, run_child
from runtime.chat.conversation import ChatFormat, Conversation
from runtime.chat.options import ChatOptions
from runtime.engine.attention import AttentionOptions
from runtime.engine.baked_prompt import BakedPrompt
from runtime.engine.engine import Engine
from runtime.engine.llama import library_folder
from runtime.engine.loading import EngineOptions
from runtime.engine.prompt_cache import PromptCacheOptions
from runtime.engine.prompt_file import PromptFile
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import GenerationRequest
from runtime.engine.state_facts import LIBRARY_PATTERN
from runtime.engine.weights import Weights
from runtime.manifest import Prompt
from tests.runtime.engine.asking import Asked
from tests.runtime.engine.tiny_models import write_sliding

pytestmark = pytest.mark.usefixtures("binding")

SYSTEM = "You answer for the harbour office. Ships dock from six to nine, and pay at gate two. " * 4
QUESTIONS = [
    "What is rain?", "Name a fruit.", "Why do cats purr?", "When do ships dock?", "2 + 2?",
    "Where do I pay?", "Who are you?", "Write a haiku.", "Is it late?", "What is a gate?",
    "Name two colours.", "How far is the moon?", "Say hello.", "What is iron?", "Tell a joke.",
    "Spell harbour.", "What day is it?", "Can I swim here?", "List three birds.", "Good night!",
]  # fmt: skip
DIGEST = "smollm2"


def _job(gguf: Path, folder: Path, **changes: object) -> BakeJob:
    library = min(library_folder().glob(LIBRARY_PATTERN))
    facts = {
        "weights": Weights(gguf, 0, gguf.stat().st_size),
        "weights_sha256": DIGEST,
        "library_sha256": hashlib.sha256(library.read_bytes()).hexdigest(),
        "settings": {"threads": 1, "ctx_size": 1024},
        "prompts": [Prompt(SYSTEM)],
        "limit_bytes": 1 << 28,
        "folder": folder,
    }
    return BakeJob(**(facts | changes))  # type: ignore[arg-type] # each of its type


def _bake(job: BakeJob) -> None:
    for _ in run_child("builder.bake.process", job, what="Baking failed"):
        pass


def _inside_a_file(path: Path) -> BakedPrompt:
    data = path.read_bytes()
    solofile = path.with_name("solofile")
    solofile.write_bytes(bytes(70_000) + data)
    return BakedPrompt(solofile, 70_000, len(data))


def _answers(
    gguf: Path, cache_type: str, baked: BakedPrompt | None, first: list[int] | None = None
) -> list[tuple[str, int]]:
    """Return each question's answer and how much of its prompt was there.

    Args:
        gguf: The model.
        cache_type: The KV cache's type.
        baked: What a new engine begins with; None for nothing.
        first: A prompt that it computes before it is asked.
    """
    options = EngineOptions(
        Weights(gguf, 0, gguf.stat().st_size),
        n_ctx=1024,
        n_threads=1,
        attention=AttentionOptions(cache_type_k=cache_type, cache_type_v=cache_type),
        prompt_cache=PromptCacheOptions(None, 0, DIGEST, (baked,)) if baked else None,
    )
    engine = Engine.start(options)
    chat = ChatFormat(engine.model, ChatOptions(SYSTEM))
    answers = []
    if first:
        asked = Asked()
        engine.submit(GenerationRequest(first, SamplingParams(), max_tokens=0), asked.events.put)
        asked.text()
    for question in QUESTIONS:
        prompt = chat.prompt(Conversation([{"role": "user", "content": question}]))
        asked = Asked()
        params = SamplingParams(temperature=0)
        engine.submit(GenerationRequest(prompt.tokens, params, max_tokens=12), asked.events.put)
        answers.append((asked.text(), asked.finished.stats.cached_tokens))
    engine.stop()
    return answers


@pytest.mark.parametrize("cache_type", ["f16", "q8_0"])
def test_answers_are_those_without_it(gguf: Path, tmp_path: Path, cache_type: str) -> None:
    """Greedy text of twenty questions is the same, and no question computes the prompt."""
    settings = {"threads": 1, "cache_type_k": cache_type, "cache_type_v": cache_type}
    _bake(_job(gguf, tmp_path, settings=settings | {"ctx_size": 1024}))
    baked = _inside_a_file(tmp_path / file_name(1))
    tokens = PromptFile.open(baked.path, baked.offset, baked.size).tokens
    expected = _answers(gguf, cache_type, None, tokens)
    answers = _answers(gguf, cache_type, baked)
    assert answers == expected
    assert min(found for _, found in answers) >= len(tokens)


def test_another_cache_computes_it_anew(
    gguf: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says that the prompt was made for other settings."""
    _bake(_job(gguf, tmp_path))
    baked = _inside_a_file(tmp_path / file_name(1))
    assert _answers(gguf, "q4_0", baked)[0][1] == 0
    assert [record.message for record in caplog.records if "computed anew" in record.message]


def test_several_prompts_with_messages_and_tools(gguf: Path, tmp_path: Path) -> None:
    """Each gets a file, which ends where the user's words begin."""
    turns = [
        {"role": "user", "content": "When does the office open?"},
        {"role": "assistant", "content": "At six."},
    ]
    tool = {"type": "function", "function": {"name": "berth", "description": "Finds a berth."}}
    prompts = [Prompt(SYSTEM), Prompt(SYSTEM, turns), Prompt(SYSTEM, tools=[tool])]
    _bake(_job(gguf, tmp_path, prompts=prompts))
    files = [PromptFile.open(tmp_path / file_name(number)) for number in (1, 2, 3)]
    assert len({tuple(file.tokens) for file in files}) == 3
    assert files[1].tokens[: len(files[0].tokens) - 1] == files[0].tokens[:-1]
    assert {file.key for file in files} == {files[0].key}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"limit_bytes": 1 << 20}, r"1 MiB that --bake-limit allows"),
        ({"prompts": [Prompt("Hi.")]}, r"'Hi\.' has \d+ tokens"),
        ({"prompts": [Prompt(SYSTEM * 20)]}, r"has \d+ tokens, and the context 1024"),
    ],
)
def test_what_cannot_be_baked(
    gguf: Path, tmp_path: Path, changes: dict[str, object], complaint: str
) -> None:
    """One sentence says why, and nothing is written."""
    with pytest.raises(ChildFailedError, match=complaint):
        _bake(_job(gguf, tmp_path, **changes))
    assert list(tmp_path.iterdir()) == []


def test_a_sliding_window_is_refused(tmp_path: Path) -> None:
    """The build says that such a model's memory cannot be saved."""
    path = tmp_path / "sliding.gguf"
    write_sliding(path)
    with pytest.raises(ChildFailedError, match="has a sliding window"):
        _bake(_job(path, tmp_path))
    assert list(tmp_path.iterdir()) == [path]
