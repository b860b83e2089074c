"""What a GGUF says of itself, and what is refused."""

import hashlib
from pathlib import Path

import pytest

from builder.gguf.facts import model_name, read_facts
from builder.sources.card import Card
from runtime.errors import DamagedFileError, UnsupportedError
from tests.builder.tiny_gguf import TENSORS, write_gguf, write_split_gguf


def test_facts_of_a_model(tmp_path: Path) -> None:
    """Architecture, parameters, context, licence and template come from the header."""
    path = write_gguf(tmp_path / "tiny.gguf", metadata={"general.license": "mit"})
    facts = read_facts([path], name="Tiny", card=Card(license_id="apache-2.0"))
    assert facts.name == "Tiny"
    assert facts.architecture == "llama"
    assert facts.n_params == 64 * 32 + 32 * 32 + 96 * 32 + 32
    assert facts.n_ctx_train == 512
    assert facts.license == "mit"
    assert facts.chat_template_sha256 == hashlib.sha256(b"{{ messages }}").hexdigest()


def test_the_origin_names_the_licence_where_the_header_does_not(tmp_path: Path) -> None:
    """A licence known from the source stands in for one missing in the file."""
    path = write_gguf(tmp_path / "tiny.gguf")
    assert (
        read_facts([path], name="Tiny", card=Card(license_id="apache-2.0")).license == "apache-2.0"
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hub.example/acme/Base", "acme/Base"),
        ("https://hub.example/acme/Base/", "acme/Base"),
        ("https://hub.example/models/acme/Base", "https://hub.example/models/acme/Base"),
        ("", "Base 1B"),
    ],
)
def test_a_base_model_is_its_repository(tmp_path: Path, url: str, shown: str) -> None:
    """Where its address is a hub's; any other stays whole, and without one there is its name."""
    base = {"general.base_model.0.name": "Base 1B", "general.base_model.0.repo_url": url}
    metadata: dict[str, str | int] = {"general.base_model.count": 1, **base}
    path = write_gguf(tmp_path / "tiny.gguf", metadata=metadata)
    assert read_facts([path], name="Tiny").base_model == [shown]


@pytest.mark.parametrize(
    ("metadata", "pooling"),
    [
        ({}, ""),
        ({"llama.attention.causal": True, "llama.pooling_type": 0}, ""),
        ({"llama.pooling_type": 1}, "mean"),
        ({"llama.pooling_type": 4}, "rank"),
        ({"llama.attention.causal": False}, "mean"),
        ({"llama.attention.causal": False, "llama.pooling_type": 0}, "none"),
        ({"llama.pooling_type": 9}, ""),
    ],
)
def test_a_model_made_for_embeddings(
    tmp_path: Path, metadata: dict[str, str | int], pooling: str
) -> None:
    """It names a pooling, or looks at what follows a token; a model that chats does neither."""
    path = write_gguf(tmp_path / "tiny.gguf", metadata=metadata)
    assert read_facts([path], name="Tiny").pooling == pooling


@pytest.mark.parametrize(
    ("metadata", "quantized", "label"),
    [
        ({"general.file_type": 15}, False, "Q4_K_M"),
        ({"general.file_type": 1024 + 7}, False, "Q8_0"),
        ({"general.file_type": 999}, True, "Q8_0"),
        ({}, True, "Q8_0"),
        ({}, False, "F32"),
    ],
)
def test_quantization(
    tmp_path: Path, metadata: dict[str, str | int], quantized: bool, label: str
) -> None:
    """The file type names the quantization; where it cannot, the most frequent tensor type does."""
    path = write_gguf(tmp_path / "tiny.gguf", metadata=metadata, quantized=quantized)
    assert read_facts([path], name="Tiny").quantization == label


def test_all_parts_count(tmp_path: Path) -> None:
    """The parameters of a split model are those of all its parts."""
    parts = write_split_gguf(tmp_path)
    whole = write_gguf(tmp_path / "whole.gguf", tensors=TENSORS)
    assert read_facts(parts, name="T").n_params == read_facts([whole], name="T").n_params


def test_a_part_alone_is_refused(tmp_path: Path) -> None:
    """A part under a name that hides that it is one is told apart from a whole model."""
    renamed = write_split_gguf(tmp_path)[1].rename(tmp_path / "model.gguf")
    with pytest.raises(DamagedFileError, match="is part 2 of 3 of a split model, and not part 1"):
        read_facts([renamed], name="T")


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    """An architecture llama.cpp does not know is named before anything is packed."""
    path = write_gguf(tmp_path / "tiny.gguf", architecture="perceptron9000")
    with pytest.raises(UnsupportedError, match="has the architecture perceptron9000, which"):
        read_facts([path], name="T")


@pytest.mark.parametrize(
    ("architecture", "metadata", "what"),
    [
        ("clip", {}, "a projector"),
        ("llama", {"general.type": "mmproj"}, "a projector"),
        ("llama", {"general.type": "adapter"}, "an adapter"),
        ("llama", {"general.type": "imatrix"}, "an importance matrix"),
    ],
)
def test_other_things_in_gguf_are_refused(
    tmp_path: Path, architecture: str, metadata: dict[str, str | int], what: str
) -> None:
    """A GGUF that is no language model is refused as what it is."""
    path = write_gguf(tmp_path / "tiny.gguf", architecture=architecture, metadata=metadata)
    with pytest.raises(UnsupportedError, match=f"is {what}, not a language model"):
        read_facts([path], name="T")


def test_a_vocabulary_is_refused(tmp_path: Path) -> None:
    """A GGUF without tensors has nothing to run."""
    path = write_gguf(tmp_path / "vocab.gguf", tensors={})
    with pytest.raises(UnsupportedError, match="holds a vocabulary only"):
        read_facts([path], name="T")


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct"),
        ("Qwen3-8B-UD-Q4_K_XL.gguf", "Qwen3-8B"),
        ("Q8_0/gemma-3-1b-it-Q8_0-00001-of-00002.gguf", "gemma-3-1b-it"),
        ("tinyllama.q4_k_m.gguf", "tinyllama"),
        ("gpt-oss-20b-MXFP4.gguf", "gpt-oss-20b"),
        ("model-bf16.gguf", "model"),
        ("Qwen2.5-0.5B.gguf", "Qwen2.5-0.5B"),
        ("Q4_K_M.gguf", "Q4_K_M"),
    ],
)
def test_model_name(file_name: str, name: str) -> None:
    """A model is called what its file is, less part numbers and quantization."""
    assert model_name(file_name) == name
