"""Tests of `/api/generate` with Ollama's client and the real model."""

from pathlib import Path
from typing import Any

import ollama
import pytest

from runtime.engine.engine import Engine
from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.runtime.server.in_process import serving

GREEDY = {"temperature": 0}
QUESTION = "Name the capital of France."


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_is_answered(client: Any, stream: bool) -> None:
    """The prompt is a user's message, and the answer its text."""
    answer: Any = client.generate("any", QUESTION, options=GREEDY, stream=stream)
    parts = list(answer) if stream else [answer]
    assert "Paris" in "".join(part.response for part in parts)
    assert (parts[-1].done, parts[-1].done_reason) == (True, "stop")
    assert parts[-1].eval_count > 0
    assert parts[-1].context
    chat = client.chat("any", [{"role": "user", "content": QUESTION}], options=GREEDY)
    assert parts[-1].prompt_eval_count == chat.prompt_eval_count


def test_a_system_message(client: ollama.Client) -> None:
    """`system` is what a system message is in a chat."""
    options = {**GREEDY, "num_predict": 12}
    told = client.generate(
        "any", "Hello", system="Speak like a pirate of the old days.", options=options
    )
    messages = [
        {"role": "system", "content": "Speak like a pirate of the old days."},
        {"role": "user", "content": "Hello"},
    ]
    chat = client.chat("any", messages, options=options)
    assert told.prompt_eval_count == chat.prompt_eval_count
    without = client.generate("any", "Hello", options=options)
    assert told.prompt_eval_count != without.prompt_eval_count


def test_a_context_goes_on(client: ollama.Client, engine: Engine) -> None:
    """The ids that come back are the conversation, and with them the next prompt follows it."""
    first = client.generate("any", "My name is Bob.", options={**GREEDY, "num_predict": 40})
    assert first.context
    assert first.response
    text = b"".join(map(engine.model.special_piece, first.context)).decode()
    assert "My name is Bob.<|im_end|>\n<|im_start|>assistant\n" in text
    assert first.response in text
    if first.done_reason == "stop":
        assert text.endswith("<|im_end|>")
    second = client.generate("any", "Hi", context=first.context, options={"num_predict": 1})
    assert second.prompt_eval_count
    assert second.prompt_eval_count > len(first.context)
    assert second.context
    assert list(second.context[: len(first.context)]) == list(first.context)


def test_a_raw_prompt_is_continued(client: ollama.Client) -> None:
    """Nothing is put around it, so a text goes on; there is no context then."""
    done = client.generate(
        "any", "The capital of France is", raw=True, options={**GREEDY, "num_predict": 4}
    )
    assert "Paris" in (done.response or "")
    assert done.prompt_eval_count == 5
    assert done.context is None


@pytest.mark.parametrize(("keep_alive", "reason"), [(None, "load"), (0, "unload")])
def test_an_empty_prompt_loads(client: ollama.Client, keep_alive: Any, reason: str) -> None:
    """Clients load and unload a model like this, also where they expect a stream."""
    for stream in (False, True):
        answer: Any = client.generate("any", keep_alive=keep_alive, stream=stream)
        [done] = list(answer) if stream else [answer]
        assert (done.done, done.done_reason, done.response) == (True, reason, "")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ({"template": "{{ .Prompt }}"}, 501, "template is in the language of Go's templates"),
        ({"suffix": "}"}, 501, "Infill is not supported by this model"),
        ({"raw": True, "system": "x"}, 400, "With raw there can be no system or context"),
        ({"suffix": "}", "system": "x"}, 400, "With suffix there can be no raw"),
        ({"context": [49152]}, 400, "context has the token 49152"),
        ({"context": [-1]}, 400, "context has the token -1"),
        ({"images": [b"\x89PNG"]}, 400, "This model takes no images"),
        ({"think": True}, 400, "This model does not support thinking"),
        ({"prompt": "word " * 600}, 400, "the context holds 512"),
    ],
)
def test_what_cannot_be_done_is_said(
    client: ollama.Client, arguments: dict[str, Any], status: int, message: str
) -> None:
    """A field that has no sense here, or not with another, is an error that names it."""
    with pytest.raises(ollama.ResponseError, match=message) as caught:
        client.generate("any", **{"prompt": "Hi", **arguments})
    assert caught.value.status_code == status


def test_a_gap_is_filled(binding: None, gguf: Path, tmp_path: Path) -> None:
    """A model that fills gaps gets both texts between its own tokens, and `show` tells of it."""
    names = ("prefix", "suffix", "middle")
    values = {f"tokenizer.ggml.{name}_token_id": 5 + index for index, name in enumerate(names)}
    path = tmp_path / "tiny.gguf"
    write_tiny_llama(path, head_size=16, tokenizer_of=gguf, values=values)
    with serving(path) as url, ollama.Client(url) as client:
        done = client.generate("any", "ab", suffix="c", options={"num_predict": 3})
        assert client.show("any").capabilities == ["completion", "insert"]
    # Each text is one token here.
    assert done.prompt_eval_count == 3 + 1 + 1
    assert done.context is None
