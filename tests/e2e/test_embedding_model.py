"""A real solofile made from a model that embeds and does not chat."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from builder.make import Order, make_solofile
from builder.report import Report
from builder.sources.gguf_file import GgufFile
from builder.targets import host_target
from tests.minilm import MiniLM, cosine
from tests.solofile import ServedSolofile, run_solofile

TEXT = "the weather is lovely today"


@pytest.fixture(scope="module")
def report(minilm_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report on its making, smoke test included."""
    folder = tmp_path_factory.mktemp("embedding")
    return make_solofile(Order(GgufFile(minilm_gguf), host_target(), output=folder))


@pytest.fixture(scope="module")
def served_model(report: Report) -> Iterator[ServedSolofile]:
    with ServedSolofile(Path(report.path), "--port", "0") as running:
        yield running


def test_the_builder_had_it_embed(report: Report) -> None:
    """The smoke test asked for an embedding, and the file says what it is for."""
    assert len(json.loads(report.answer or "")) == 384
    done = run_solofile(Path(report.path), "info")
    assert "embeddings (mean), not chat" in done.stdout


def test_the_command_embeds(report: Report, minilm: MiniLM) -> None:
    """`embed` prints the vector of its words, or of what is piped in."""
    for arguments, stdin in (([TEXT], ""), ([], TEXT)):
        done = run_solofile(Path(report.path), "embed", *arguments, stdin=stdin)
        assert cosine(json.loads(done.stdout), minilm.embed(minilm.tokens(TEXT))) > 0.999


def test_it_cannot_be_talked_to(report: Report) -> None:
    """Asked for text, it says in one sentence that it has none."""
    done = run_solofile(Path(report.path), "run", "Hello")
    assert done.returncode == 1
    assert "Error: This model generates no text." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pooling_that_does_not_exist(report: Report) -> None:
    """An unknown pooling is a mistake on the command line, with the choices."""
    done = run_solofile(Path(report.path), "embed", TEXT, "--pooling", "max")
    assert (done.returncode, "cls, last, mean, none, rank" in done.stderr) == (2, True)


def test_it_serves(served_model: ServedSolofile, minilm: MiniLM) -> None:
    """OpenAI's client gets embeddings, and the page says at once what the model is for."""
    client = openai.OpenAI(base_url=f"{served_model.url}/v1", api_key="none")
    answer = client.embeddings.create(model="any", input=[TEXT] * 70)
    assert len(answer.data) == 70
    assert cosine(answer.data[69].embedding, minilm.embed(minilm.tokens(TEXT))) > 0.999
    with urllib.request.urlopen(f"{served_model.url}/", timeout=30) as response:
        assert "does not chat" in response.read().decode()
