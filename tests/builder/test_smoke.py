"""The smoke test, on programs that stand in for a solofile."""

import sys
import time
from pathlib import Path

import pytest

from builder.smoke import EMBED, PROMPT, SmokeTestError, smoke_test


def program(folder: Path, body: str) -> Path:
    """Write a shell script that plays a solofile."""
    path = folder / "solofile"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_an_answer(tmp_path: Path) -> None:
    """The answer and the time to its first byte are handed over."""
    path = program(tmp_path, "sleep 0.3; echo Paris.; sleep 0.3; echo Yes.")
    tested = smoke_test(path)
    assert tested.answer == "Paris.\nYes."
    assert 0.3 <= tested.start_s < 0.6 + 5


def test_how_it_is_asked(tmp_path: Path) -> None:
    """It is asked one question, at temperature 0, with nothing to read."""
    path = program(tmp_path, 'for word in "$@"; do printf "%s\\n" "$word"; done; cat')
    assert smoke_test(path).answer.splitlines() == ["run", "--temp", "0", "-n", "24", PROMPT]
    assert smoke_test(path, command=EMBED).answer.splitlines() == ["embed", PROMPT]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes the network away")
def test_there_is_no_network(tmp_path: Path) -> None:
    """Where the kernel allows it, no interface has an address."""
    path = program(tmp_path, "echo routes: $(tail -n +2 /proc/net/route | wc -l)")
    assert smoke_test(path).answer == "routes: 0"


def test_settings_of_other_solofiles_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the builder's user set for running solofiles stays out; the cache stays."""
    monkeypatch.setenv("SOLOFILE_CTX_SIZE", "1")
    monkeypatch.setenv("SOLOFILE_CACHE", "/somewhere")
    path = program(tmp_path, 'echo "x${SOLOFILE_CTX_SIZE}x ${SOLOFILE_CACHE}"')
    assert smoke_test(path).answer == "xx /somewhere"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("echo first >&2; echo 'Error: no memory' >&2; exit 5",
         "does not work: it ended with code 5: Error: no memory"),
        ("exit 3", "it ended with code 3: it said nothing"),
        ("echo Paris; exit 1", "it ended with code 1"),
        ("kill -9 $$", "it was ended by signal 9"),
        ("echo", "its answer to 'What is the capital of France[?]' was ''"),
        ("echo '...'", r"was '\.\.\.'"),
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
