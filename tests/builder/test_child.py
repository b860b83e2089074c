"""Programs run by another Python: what they tell, and how they end."""

import json
import os
import sys
from pathlib import Path

import pytest

from builder.child import ChildFailedError, Message, run_script, telling_outcome
from runtime.errors import AppError, DamagedFileError, UsageError

ECHO = 'import sys; job = sys.stdin.readline(); print("noise", flush=True); '


def run(folder: Path, body: str) -> list[Message]:
    """Run a program that was given a job, as that of transformers is."""
    script = folder / "script.py"
    script.write_text(ECHO + body, encoding="utf-8")
    job = {"number": 7}
    return list(run_script(Path(sys.executable), script, job, what="It failed", who="the other"))


def test_it_gets_its_job_and_tells(tmp_path: Path) -> None:
    """The job is one line of JSON; lines that are no messages are not told."""
    body = """import json; print(json.dumps({"tensor": str(json.loads(job)["number"])}))
print('{"is_done": true}')"""
    assert run(tmp_path, body) == [Message(tensor="7"), Message(is_done=True)]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("""print('{"failure": "no such model"}')""", r"^It failed: no such model\.$"),
        ("raise OSError('gone')", r"^It failed: the other crashed: OSError: gone\.$"),
        ("import os; os.kill(os.getpid(), 9)", r"^It failed: the other crashed: noise\.$"),
        ("", r"^It failed: noise\.$"),
    ],
)
def test_failures(tmp_path: Path, body: str, sentence: str) -> None:
    """Whatever ends it before it is done is told in one sentence."""
    with pytest.raises(ChildFailedError, match=sentence):
        run(tmp_path, body)


@pytest.mark.parametrize(
    ("message", "code"),
    [('{"failure": "too short", "exit_code": 2}', 2), ('{"failure": "no such model"}', 7)],
)
def test_the_exit_code_is_that_of_the_reason(tmp_path: Path, message: str, code: int) -> None:
    """Where it is not said, a tool failed."""
    with pytest.raises(ChildFailedError) as caught:
        run(tmp_path, f"print({message!r})")
    assert caught.value.exit_code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError("No."), 2), (DamagedFileError("No."), 3), (AppError("No."), 7), (OSError(28), 5)],
)
def test_what_a_child_tells_of_its_end(
    error: Exception, code: int, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """What the root says nothing of is a failure of the tool."""
    with telling_outcome(tmp_path):
        raise error
    assert json.loads(capfdbinary.readouterr().out).get("exit_code", 7) == code


def test_it_sees_no_modules_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment's packages are not mixed with what this Python was told to look at."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/elsewhere", "/more"]))
    body = """import sys
assert "/elsewhere" not in sys.path
print('{"is_done": true}')"""
    assert run(tmp_path, body) == [Message(is_done=True)]
