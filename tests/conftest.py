"""The real model, the real solofile made from it, and one that serves, for the whole suite."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.convert.environment import converter_python as make_converter_python
from builder.demo import demo_source, make_demo
from builder.errors import SourceError
from builder.native.llamacpp import expose_binding
from builder.report import Report
from tests.checkpoints import write_smollm2, write_tiny
from tests.minilm import MiniLM, extract_minilm
from tests.solofile import ServedSolofile

# Shells start background jobs with Ctrl-C ignored, and the programs under test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def gguf() -> Path:
    """The weights of SmolLM2-135M-Instruct."""
    return demo_source().fetch().files[0].path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report on the demo's solofile, made by the builder."""
    return make_demo(tmp_path_factory.mktemp("solofile"))


@pytest.fixture(scope="session")
def solofile(made: Report) -> Path:
    """The demo's solofile."""
    return Path(made.path)


@pytest.fixture(scope="session")
def served(solofile: Path) -> Iterator[ServedSolofile]:
    """The demo's solofile, serving at a free port.

    So small a model sometimes rambles to the end of its context; no test wants to wait for that.
    """
    with ServedSolofile(solofile, "--port", "0", "--predict", "500") as running:
        yield running


@pytest.fixture(scope="session")
def binding() -> None:
    """The engine's libraries, for tests that run it in this process."""
    expose_binding()


@pytest.fixture(scope="session")
def minilm() -> MiniLM:
    """The checkpoint of all-MiniLM-L6-v2."""
    return MiniLM()


@pytest.fixture(scope="session")
def minilm_gguf(minilm: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a GGUF."""
    return minilm.write(tmp_path_factory.mktemp("minilm") / "all-MiniLM-L6-v2-F32.gguf")


@pytest.fixture(scope="session")
def minilm_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as it was published, for transformers."""
    return extract_minilm(tmp_path_factory.mktemp("checkpoint") / "all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def converter_python() -> Path:
    """The Python that the converter runs in, with torch and transformers."""
    try:
        return make_converter_python()
    except SourceError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the converter's environment cannot be made: {error}")


@pytest.fixture(scope="session")
def smollm2_checkpoint(
    converter_python: Path, gguf: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """SmolLM2-135M-Instruct's checkpoint, as it was before it became a GGUF."""
    folder = tmp_path_factory.mktemp("checkpoint") / "SmolLM2-135M-Instruct"
    write_smollm2(converter_python, gguf, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoints(
    converter_python: Path, gguf: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Small random checkpoints, by the architectures of `tests.checkpoints.TINY`."""
    return write_tiny(converter_python, gguf, tmp_path_factory.mktemp("tiny"))
