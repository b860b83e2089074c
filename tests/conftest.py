"""The real model, the real solofile made from it, and one that serves, for the whole suite."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.demo import demo_source, make_demo
from builder.llamacpp import expose_binding
from builder.report import Report
from tests.minilm import MiniLM
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
