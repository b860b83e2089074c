"""Tests of `/infill`, with a tiny model that has the real one's tokens and those for gaps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.runtime.server.in_process import serving

GAP: dict[str, Any] = {
    "input_prefix": "def add(a, b):\n    return ",
    "input_suffix": "\n",
    "n_predict": 3,
}
# The places of SmolLM2's tokens for names of repositories and files, and three that stand by.
TOKENS = {"fim_pre": 9, "fim_suf": 10, "fim_mid": 11, "fim_rep": 3, "fim_sep": 4}


@pytest.fixture(scope="module")
def url(binding: None, gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a model that fills gaps."""
    path = tmp_path_factory.mktemp("infill") / "tiny.gguf"
    values = {f"tokenizer.ggml.{name}_token_id": token for name, token in TOKENS.items()}
    write_tiny_llama(path, head_size=16, tokenizer_of=gguf, values=values)
    with serving(path) as address:
        yield address


def _ask(url: str, **fields: Any) -> Any:
    answer = httpx.post(f"{url}/infill", json=GAP | fields, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _tokens(url: str, text: str) -> list[int]:
    body = {"content": text, "parse_special": False}
    tokens: list[int] = httpx.post(f"{url}/tokenize", json=body).json()["tokens"]
    return tokens


def _detokenized(url: str, tokens: list[int]) -> str:
    text: str = httpx.post(f"{url}/detokenize", json={"tokens": tokens}).json()["content"]
    return text


def test_a_gap_is_filled(url: str) -> None:
    """The prompt is what llama-server makes of the same: files, then the text around the gap."""
    done = _ask(url, input_extra=[{"text": "x = 1\n", "filename": "x.py"}], prompt="a +")
    expected = [
        3, *_tokens(url, "myproject\n"),
        4, *_tokens(url, "x.py\n"), *_tokens(url, "x = 1\n"),
        4, *_tokens(url, "filename\n"),
        9, *_tokens(url, GAP["input_prefix"]), *_tokens(url, "a +"),
        10, *_tokens(url, "\n"),
        11,
    ]  # fmt: skip
    assert done["prompt"] == _detokenized(url, expected)
    assert (done["tokens_evaluated"], done["tokens_predicted"]) == (len(expected), 3)


def test_what_is_near_the_gap_is_kept(url: str) -> None:
    """Too long texts lose their far ends, and other files give way first."""
    done = _ask(
        url,
        input_prefix="first " * 600 + "near",
        input_suffix="close" + " last" * 600,
        input_extra=[{"text": "other " * 600}],
    )
    assert done["tokens_evaluated"] < 512
    assert "near" in done["prompt"]
    assert "close" in done["prompt"]
    assert done["prompt"].count("other") < 5


def test_a_suffix_in_a_completion_asks_for_the_same(url: str) -> None:
    """OpenAI's field for it; of other files nothing is said there."""
    body = {"prompt": GAP["input_prefix"], "suffix": "\n", "max_tokens": 3, "temperature": 0}
    done = httpx.post(f"{url}/v1/completions", json=body, timeout=60).json()
    prompt = [9, *_tokens(url, GAP["input_prefix"]), 10, *_tokens(url, "\n"), 11]
    body = {"prompt": prompt, "max_tokens": 3, "temperature": 0}
    same = httpx.post(f"{url}/v1/completions", json=body, timeout=60).json()
    assert done["usage"] | {"prompt_tokens_details": 0} == same["usage"] | {
        "prompt_tokens_details": 0
    }
    assert done["choices"][0]["text"] == same["choices"][0]["text"]


def test_a_gap_needs_edges(url: str) -> None:
    """In llama-server's words."""
    answer = httpx.post(f"{url}/infill", json={"input_prefix": "a"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        400,
        '"input_suffix" is required',
    )


def test_a_model_without_the_tokens_is_told(http: TestClient) -> None:
    """Before anything else, as in llama-server."""
    answer = http.post("/infill", json={"input_prefix": "a"})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (501, "not_supported_error")
    assert "not supported by this model" in error["message"]
