"""The smoke test, on programs that stand in for a solofile."""

import os
import shutil
import sys
import time
from pathlib import Path

import gguf as gguf_package
import numpy as np
import pytest

from builder.native.llamacpp import source_folder
from builder.quality.answer import PROMPT
from builder.smoke import EMBED, SmokeTestError, smoke_test
from runtime.engine.llama import library_folder
from tests.runtime.engine.tiny_llama import write_tiny_llama

PROJECT = Path(__file__).parents[2]

TELL = """tell() { printf '{"text":"%s","tokens":[1],"logprobs":[-0.5]}\\n' "$*"; }"""


def program(folder: Path, body: str) -> Path:
    """Write a shell script that plays a solofile; `tell` tells a word as `run --json` does."""
    path = folder / "solofile"
    path.write_text(f"#!/bin/sh\n{TELL}\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_an_answer(tmp_path: Path) -> None:
    """The answer and the time to its first byte are handed over."""
    path = program(tmp_path, "sleep 0.3; tell Paris.; sleep 0.3; tell ' Yes.'")
    tested = smoke_test(path)
    assert tested.answer == "Paris. Yes."
    assert 0.3 <= tested.start_s < 0.6 + 5


def test_how_it_is_asked(tmp_path: Path) -> None:
    """It is asked one question, at temperature 0, with nothing to read."""
    path = program(tmp_path, 'tell "$#" "$@"; cat')
    assert smoke_test(path).answer == f"7 run --json --temp 0 -n 24 {PROMPT}"
    path = program(tmp_path, f'[ "$*" = "embed {PROMPT}" ] && echo "[0.5, -1]"')
    assert smoke_test(path, command=EMBED).answer == "[0.5, -1]"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes the network away")
def test_there_is_no_network(tmp_path: Path) -> None:
    """Where the kernel allows it, no interface has an address."""
    path = program(tmp_path, "tell routes: $(tail -n +2 /proc/net/route | wc -l)")
    assert smoke_test(path).answer == "routes: 0"


def test_settings_of_other_solofiles_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the builder's user set for running solofiles stays out; the cache stays."""
    monkeypatch.setenv("SOLOFILE_CTX_SIZE", "1")
    monkeypatch.setenv("SOLOFILE_CACHE", "/somewhere")
    path = program(tmp_path, 'tell "x${SOLOFILE_CTX_SIZE}x ${SOLOFILE_CACHE}"')
    assert smoke_test(path).answer == "xx /somewhere"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("echo first >&2; echo 'Error: no memory' >&2; exit 5",
         "does not work: it ended with code 5: Error: no memory"),
        ("exit 3", "it ended with code 3: it said nothing"),
        ("echo Paris; exit 1", "it ended with code 1"),
        ("kill -9 $$", "it was ended by signal 9"),
        ("true", "its answer to 'What is the capital of France[?]' ends before the first word"),
        ("tell", "its answer to 'What is the capital of France[?]' was ''"),
        ("tell ...", r"was '\.\.\.'"),
        ("echo Paris", "its answer to .* was 'Paris'"),
    ],
)  # fmt: skip
def test_failures(tmp_path: Path, body: str, sentence: str) -> None:
    """What went wrong is told in one sentence."""
    with pytest.raises(SmokeTestError, match=sentence):
        smoke_test(program(tmp_path, body))


def test_a_hanging_one_is_ended(tmp_path: Path) -> None:
    """One that never answers is given up on and killed."""
    started = time.monotonic()
    with pytest.raises(SmokeTestError, match="did not answer within 1 s"):
        smoke_test(program(tmp_path, "exec sleep 60"), timeout_s=1)
    assert time.monotonic() - started < 5


def test_one_that_cannot_start(tmp_path: Path) -> None:
    """Something the system refuses to start is told."""
    path = tmp_path / "solofile"
    path.write_bytes(b"\x7fELF nonsense")
    path.chmod(0o755)
    with pytest.raises(SmokeTestError, match=r"Exec format error"):
        smoke_test(path)


@pytest.fixture(scope="module")
def honest(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights, whose answers are random words."""
    path = tmp_path_factory.mktemp("honest") / "model.gguf"
    write_tiny_llama(path, head_size=32, tokenizer_of=gguf)
    return path


def engine(folder: Path, model: Path) -> Path:
    """Write a program that runs a model as a solofile would, with the runtime from its source."""
    places = os.pathsep.join([str(PROJECT), str(source_folder())])
    return program(
        folder,
        f"export PYTHONPATH={places} LLAMA_CPP_LIB_PATH={library_folder()}\n"
        f'command=$1; shift; exec {sys.executable} -m runtime "$command" --model {model} "$@"',
    )


@pytest.mark.usefixtures("binding")
def test_honest_models(gguf: Path, honest: Path, tmp_path: Path) -> None:
    """A real model passes, and one that knows nothing does, too."""
    assert len(smoke_test(engine(tmp_path, gguf)).answer) > 20
    assert len(smoke_test(engine(tmp_path, honest)).answer) > 20


@pytest.mark.usefixtures("binding")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("one that says nothing", "ends before the first word: its weights may be damaged"),
        ("all NaN", "ends before the first word: its weights may be damaged"),
        ("a row of NaN", "its model computes no numbers, but NaN or infinity"),
        ("infinity", "its model computes no numbers, but NaN or infinity"),
        ("a loop", r"repeats itself from the first word on: '\$\$\$\$"),
    ],
)
def test_broken_models(honest: Path, tmp_path: Path, name: str, sentence: str) -> None:
    """What was computed wrongly is told, although the file starts and ends well."""
    model = Path(shutil.copy(honest, tmp_path / "broken.gguf"))
    tensors = {one.name: one.data for one in gguf_package.GGUFReader(model, "r+").tensors}
    if name == "one that says nothing":
        for values in tensors.values():
            values[:] = 0
    elif name == "all NaN":
        tensors["blk.0.attn_q.weight"][:] = np.nan
    elif name == "a row of NaN":
        tensors["output.weight"][5] = np.nan
    elif name == "infinity":
        tensors["output.weight"][5] = np.inf
    else:
        same = tensors["token_embd.weight"][9].copy()
        tensors["token_embd.weight"][:], tensors["output.weight"][20] = same, 5 * same
    with pytest.raises(SmokeTestError, match=sentence):
        smoke_test(engine(tmp_path, model))


@pytest.mark.usefixtures("binding")
@pytest.mark.parametrize(
    ("value", "sentence"), [(np.nan, "no numbers, but NaN"), (0, "its embedding is zero")]
)
def test_broken_embeddings(minilm_gguf: Path, tmp_path: Path, value: float, sentence: str) -> None:
    """Embeddings are looked at, too."""
    assert smoke_test(engine(tmp_path, minilm_gguf), command=EMBED).answer.startswith("[")
    model = Path(shutil.copy(minilm_gguf, tmp_path / "broken.gguf"))
    for tensor in gguf_package.GGUFReader(model, "r+").tensors:
        tensor.data[:] = value
    with pytest.raises(SmokeTestError, match=sentence):
        smoke_test(engine(tmp_path, model), command=EMBED)
