"""Real solofiles from an Ollama store and a llamafile's shape, with the weights of SmolLM2."""

import json
from pathlib import Path

import pytest

from builder.__main__ import run
from runtime.user_folders import user_cache_dir
from tests.builder.tiny_llamafile import write_llamafile
from tests.builder.tiny_ollama import TinyOllama
from tests.solofile import run_solofile

SYSTEM_PROMPT = "You answer everything with a poem about the sea."
QUESTION = "Who are you?"


@pytest.fixture(scope="module")
def told(solofile: Path) -> str:
    """What the demo says when the system prompt and parameters are given by flags."""
    flags = ("--temp", "0", "--repeat-penalty", "1.1", "-n", "32", "-sys", SYSTEM_PROMPT)
    answer = run_solofile(solofile, "run", *flags, QUESTION).stdout
    unlike = run_solofile(solofile, "run", "--temp", "0", "-n", "32", QUESTION).stdout
    assert answer
    assert answer != unlike, "the prompt makes a difference"
    return answer


def cache_bytes() -> int:
    """Return how much lies in the builder's cache."""
    return sum(path.stat().st_size for path in user_cache_dir().rglob("*") if path.is_file())


def built(source: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """Build a solofile and return it; the cache keeps nothing of it."""
    before = cache_bytes()
    capfd.readouterr()
    assert run(["build", source, "-o", str(folder / "made"), "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["answer"]
    assert cache_bytes() - before < 1_000_000
    return Path(report["path"])


def test_ollama(
    told: str,
    gguf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It answers by the store's system prompt and parameters."""
    (tmp_path / "store").mkdir()
    store = TinyOllama(tmp_path / "store")
    store.add(
        "registry.ollama.ai/library/smollm2/135m",
        [
            ("model", gguf),
            ("template", b"<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n"),
            ("system", SYSTEM_PROMPT.encode()),
            ("params", b'{"temperature": 0, "repeat_penalty": 1.1, "num_predict": 32}'),
            ("license", b"Apache-2.0\n"),
        ],
    )
    assert store.blob(gguf).samefile(gguf)
    monkeypatch.setenv("OLLAMA_MODELS", str(store.folder))
    made = built("ollama:smollm2:135m", tmp_path, capfd)
    assert run_solofile(made, "run", QUESTION).stdout == told
    assert store.blob(gguf).samefile(gguf)


def test_llamafile(
    told: str, gguf: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It answers by the archive's arguments; so does what is made from it in turn."""
    arguments = (
        f"-m\n{gguf.name}\n-p\n{SYSTEM_PROMPT}\n--temp\n0\n--repeat-penalty\n1.1\n-n\n32\n..."
    )
    path = write_llamafile(tmp_path / "old.llamafile", {gguf.name: gguf}, arguments)
    made = built(str(path), tmp_path, capfd)
    assert run_solofile(made, "run", QUESTION).stdout == told
    path.unlink()
    assert run(["build", str(made), "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again").read_bytes() == made.read_bytes()
