"""Baking with the real model, and the engine that starts with what was baked."""

import hashlib
from pathlib import Path

import pytest

from builder.bake.prompt import BakeJob, file_name
from builder.child import ChildFailedError, run_child
from runtime.chat.conversation import ChatFormat, Conversation
from runtime.chat.options import ChatOptions
from runtime.chat.template import Message
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
from runtime.errors import UsageError
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
    engine = _engine(gguf, cache_type, baked, first)
    chat = ChatFormat(engine.model, ChatOptions(SYSTEM))
    messages = [[{"role": "user", "content": question}] for question in QUESTIONS]
    answers = [_ask(engine, chat, asked) for asked in messages]
    engine.stop()
    return answers


def _chats(
    gguf: Path, cache_type: str, baked: BakedPrompt | None, first: list[int] | None = None
) -> list[list[str]]:
    """Return what is answered turn by turn in chats of three questions; see `_answers`."""
    engine = _engine(gguf, cache_type, baked, first)
    chat = ChatFormat(engine.model, ChatOptions(SYSTEM))
    chats = []
    for start in range(0, 12, 3):
        messages: list[Message] = []
        for question in QUESTIONS[start : start + 3]:
            messages.append({"role": "user", "content": question})
            answer, found = _ask(engine, chat, messages)
            assert found > 0 or not (baked or first)
            messages.append({"role": "assistant", "content": answer})
        chats.append([message["content"] for message in messages[1::2]])
    engine.stop()
    return chats


def _engine(
    gguf: Path, cache_type: str, baked: BakedPrompt | None, first: list[int] | None = None
) -> Engine:
    options = EngineOptions(
        Weights(gguf, 0, gguf.stat().st_size),
        n_ctx=1024,
        n_threads=1,
        attention=AttentionOptions(cache_type_k=cache_type, cache_type_v=cache_type),
        prompt_cache=PromptCacheOptions(None, 0, DIGEST, (baked,)) if baked else None,
    )
    engine = Engine.start(options)
    engine.wait_until_loaded()
    if first:
        asked = Asked()
        engine.submit(GenerationRequest(first, SamplingParams(), max_tokens=0), asked.events.put)
        asked.text()
    return engine


def _ask(engine: Engine, chat: ChatFormat, messages: list[Message]) -> tuple[str, int]:
    """Return an answer, and how much of its prompt was there."""
    prompt = chat.prompt(Conversation(messages))
    asked = Asked()
    params = SamplingParams(temperature=0)
    engine.submit(GenerationRequest(prompt.tokens, params, max_tokens=12), asked.events.put)
    return asked.text(), asked.finished.stats.cached_tokens


def _num_tokens(baked: BakedPrompt) -> int:
    return len(PromptFile.open(baked.path, baked.offset, baked.size).tokens)


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


@pytest.mark.parametrize("cache_type", ["f16", "q8_0"])
def test_chats_are_those_without_it(gguf: Path, tmp_path: Path, cache_type: str) -> None:
    """Turn by turn: greedy chats of three questions each go the same way."""
    settings = {"threads": 1, "cache_type_k": cache_type, "cache_type_v": cache_type}
    _bake(_job(gguf, tmp_path, settings=settings | {"ctx_size": 1024}))
    baked = _inside_a_file(tmp_path / file_name(1))
    tokens = PromptFile.open(baked.path, baked.offset, baked.size).tokens
    expected = _chats(gguf, cache_type, None, tokens)
    assert _chats(gguf, cache_type, baked) == expected
    assert len({text for chat in expected for text in chat}) > 6


@pytest.mark.parametrize(
    ("cache_type", "changes"),
    [
        ("q4_0", {}),
        ("f16", {"library_sha256": "00" * 32}),
        ("f16", {"weights_sha256": "00" * 32}),
        ("f16", {"settings": {"threads": 1, "ctx_size": 1024, "rope_freq_base": 5000.0}}),
    ],
    ids=["cache", "library", "weights", "rope"],
)
def test_what_was_made_for_something_else_is_computed_anew(
    gguf: Path,
    tmp_path: Path,
    cache_type: str,
    changes: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line says so, and nothing of it is used."""
    _bake(_job(gguf, tmp_path, **changes))
    baked = _inside_a_file(tmp_path / file_name(1))
    engine = _engine(gguf, cache_type, baked)
    chat = ChatFormat(engine.model, ChatOptions(SYSTEM))
    assert _ask(engine, chat, [{"role": "user", "content": QUESTIONS[0]}])[1] == 0
    engine.stop()
    assert [record.message for record in caplog.records].count(
        f"A baked prompt of {_num_tokens(baked)} tokens is computed anew: it was made for another "
        "llama.cpp or other settings of the context."
    ) == 1


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
    with pytest.raises(ChildFailedError, match=complaint) as caught:
        _bake(_job(gguf, tmp_path, **changes))
    assert caught.value.exit_code == UsageError.exit_code
    assert list(tmp_path.iterdir()) == []


def test_a_sliding_window_that_cannot_be_saved_is_refused(tmp_path: Path) -> None:
    """The build says so; here no sequence number is left that saving takes."""
    path = tmp_path / "sliding.gguf"
    write_sliding(path)
    settings = {"threads": 1, "ctx_size": 1024, "parallel": 120}
    with pytest.raises(ChildFailedError, match=r"has a sliding window.* smaller --parallel"):
        _bake(_job(path, tmp_path, settings=settings))
    assert list(tmp_path.iterdir()) == [path]
