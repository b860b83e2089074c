"""A real solofile with a projector inside, which OpenAI's client shows an image."""

import base64
from pathlib import Path
from typing import Any

import openai
import pytest

from builder.make import Order, make_solofile
from builder.sources.gguf_file import GgufFile
from builder.targets import host_target
from tests.images import png
from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.solofile import ServedSolofile, run_solofile
from tests.tiny_projector import write_tiny_projector


@pytest.fixture(scope="module")
def solofile(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that sees; its smoke test loaded the projector."""
    folder = tmp_path_factory.mktemp("seeing")
    write_tiny_llama(folder / "model.gguf", head_size=32, tokenizer_of=gguf)
    write_tiny_projector(folder / "eyes.gguf", n_embd=64)
    report = make_solofile(
        Order(
            GgufFile(folder / "model.gguf"),
            host_target(),
            output=folder,
            projector=GgufFile(folder / "eyes.gguf"),
        )
    )
    return Path(report.path)


def test_an_image_is_answered(solofile: Path) -> None:
    """It counts as tokens, and is found again."""
    url = f"data:image/png;base64,{base64.b64encode(png(1)).decode()}"
    content: Any = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "What is this?"},
    ]
    with (
        ServedSolofile(solofile, "--port", "0", "--predict", "8") as running,
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="none") as client,
    ):
        first, second = (
            client.chat.completions.create(
                model="model",
                messages=[{"role": "user", "content": content}],
            )
            for _ in range(2)
        )
    assert first.usage is not None
    assert first.usage.completion_tokens > 0
    assert second.usage is not None
    assert second.usage.prompt_tokens_details is not None
    assert second.usage.prompt_tokens_details.cached_tokens == second.usage.prompt_tokens - 1


def test_info_tells_of_the_projector(solofile: Path) -> None:
    """It is an entry like the others."""
    assert "projector/eyes.gguf" in run_solofile(solofile, "info").stdout
