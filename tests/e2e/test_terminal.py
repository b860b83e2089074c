"""The terminal commands of a real solofile."""

import json
from pathlib import Path

from builder.files import sha256_of
from runtime.manifest import FORMAT_VERSION
from tests.solofile import run_solofile

QUESTION = "Name the capital of France."


def test_run_answers_and_prints_nothing_else(solofile: Path) -> None:
    """`run` writes the answer to stdout, and nothing to stderr."""
    done = run_solofile(solofile, "run", "--temp", "0", QUESTION)
    assert done.returncode == 0
    assert "Paris" in done.stdout
    assert done.stdout.endswith("\n")
    assert done.stderr == ""


def test_what_is_piped_in_is_added_to_the_prompt(solofile: Path) -> None:
    """A prompt from stdin alone works, and so does one that a question goes before."""
    alone = run_solofile(solofile, "run", "--temp", "0", stdin=QUESTION)
    assert "Paris" in alone.stdout
    both = run_solofile(solofile, "run", "--temp", "0", "-n", "8", "Repeat:", stdin="one two")
    assert both.returncode == 0


def test_the_same_seed_gives_the_same_text(solofile: Path) -> None:
    """Sampling is random across seeds and repeatable within one."""

    def text(seed: int) -> str:
        options = ["--temp", "1.5", "--seed", str(seed), "-n", "24"]
        return run_solofile(solofile, "run", *options, "Tell me a story.").stdout

    assert text(1) == text(1)
    assert text(1) != text(2)


def test_no_prompt_is_a_mistake(solofile: Path) -> None:
    """`run` without a prompt says so and exits with 2."""
    done = run_solofile(solofile, "run")
    assert done.returncode == 2
    assert done.stderr == 'Error: There is no prompt. Give one, as in: run "Why is the sky blue?"\n'


def test_info_tells_where_the_model_came_from(solofile: Path) -> None:
    """`info` shows the manifest in words and as JSON."""
    words = run_solofile(solofile, "info").stdout
    assert "SmolLM2-135M-Instruct" in words
    assert "Q4_1" in words
    facts = json.loads(run_solofile(solofile, "info", "--json").stdout)
    assert facts["format_version"] == FORMAT_VERSION


def test_extracted_weights_run_again(solofile: Path, gguf: Path, tmp_path: Path) -> None:
    """`extract` writes the very weights that went in, and `-m` runs them, or a solofile."""
    done = run_solofile(solofile, "extract", "-C", str(tmp_path))
    weights = Path(done.stdout.strip())
    assert weights.parent == tmp_path
    assert sha256_of(weights) == sha256_of(gguf)
    for model in (weights, solofile):
        options = ["-m", str(model), "-sys", "You are a helpful assistant.", "--temp", "0"]
        assert "Paris" in run_solofile(solofile, "run", *options, QUESTION).stdout


def test_verify_says_sound(solofile: Path) -> None:
    """`verify` reads every byte and finds nothing."""
    done = run_solofile(solofile, "verify")
    assert (done.returncode, done.stdout) == (0, f"{solofile} is sound.\n")


def test_licences_of_the_runtime(solofile: Path) -> None:
    """`licenses` prints those of what is frozen in, behind the model's."""
    printed = run_solofile(solofile, "licenses").stdout
    assert "==== runtime: llama.cpp, LICENSE ====\nMIT License" in printed
    assert "==== runtime: msgspec, LICENSE ====" in printed
    assert "==== runtime" not in run_solofile(solofile, "licenses", str(solofile)).stdout


def test_help_names_commands_and_examples(solofile: Path) -> None:
    """Help shows what can be typed, with this file's own name."""
    overview = run_solofile(solofile, "--help").stdout
    assert f"./{solofile.name} chat" in overview
    for command in ("serve", "chat", "run", "info", "verify", "extract"):
        assert command in overview
        assert "examples:" in run_solofile(solofile, command, "--help").stdout
    assert run_solofile(solofile, "--version").stdout.startswith("solofile ")
