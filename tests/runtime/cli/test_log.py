"""Tests of the log's level, place and form."""

import json
import logging
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.cli.log import JsonFormatter, TextFormatter, set_up_log
from runtime.errors import UsageError
from runtime.server.request_facts import RequestFacts, current_facts
from runtime.settings.values import Settings


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Put everything back."""
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn")
    before = root.handlers[:], root.level, uvicorn.level
    yield
    for handler in set(root.handlers) - set(before[0]):
        handler.close()
    root.handlers = before[0]
    root.setLevel(before[1])
    uvicorn.setLevel(before[2])


def _set_up(settings: Settings) -> None:
    """Set the log up as if for the first time."""
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.close()
    root.handlers = []
    set_up_log(settings)


def _record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("a.b", logging.WARNING, "", 0, message, arguments, None)
    record.__dict__ |= extra
    return record


@pytest.mark.parametrize(
    ("settings", "level"),
    [
        (Settings(), logging.WARNING),
        (Settings(verbose=True), logging.DEBUG),
        (Settings(log_format="json"), logging.INFO),
        (Settings(log_format="json", log_verbosity=1), logging.ERROR),
        (Settings(log_verbosity=0), logging.ERROR),
        (Settings(log_verbosity=3), logging.INFO),
        (Settings(log_verbosity=9), logging.DEBUG),
    ],
)
def test_levels_follow_llama_cpp_s_numbers(settings: Settings, level: int) -> None:
    """Warnings by default, requests where a log is asked for; uvicorn only where all is logged."""
    _set_up(settings)
    assert logging.getLogger().level == level
    assert (logging.getLogger("uvicorn").level == logging.CRITICAL) is (level > logging.DEBUG)


def test_a_file_is_added_to_and_private(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The log goes there and nowhere else."""
    file = tmp_path / "log"
    _set_up(Settings(log_file=str(file)))
    logging.getLogger("x").info("first")
    assert file.read_text(encoding="utf-8").endswith("INFO x: first\n")
    assert capsys.readouterr().err == ""
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    _set_up(Settings(log_file=str(file)))
    logging.getLogger("x").info("second")
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2


def test_what_cannot_be_done_is_told(tmp_path: Path) -> None:
    """An unknown form, and a file that cannot be written."""
    with pytest.raises(UsageError, match=r"--log-format is 'xml'\. It is text or json"):
        _set_up(Settings(log_format="xml"))
    with pytest.raises(UsageError, match=r"--log-file cannot write .*Is a directory"):
        _set_up(Settings(log_file=str(tmp_path)))


def test_json_has_one_object_a_line() -> None:
    """With what the record brings, its request, and what went wrong."""
    token = current_facts.set(RequestFacts("abc"))
    record = _record("a %s\nb", "x", fields={"status": 200})
    line = JsonFormatter().format(record)
    current_facts.reset(token)
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "WARNING",
        "logger": "a.b",
        "message": "a x\nb",
        "request_id": "abc",
        "status": 200,
    }


def test_an_error_s_trace_stays_in_its_object() -> None:
    """As one string."""
    try:
        raise ValueError("what")
    except ValueError:
        record = _record("failed")
        record.exc_info = sys.exc_info()
    told = json.loads(JsonFormatter().format(record))
    assert "ValueError: what" in told["exception"]
    assert "request_id" not in told


def test_no_text_breaks_a_line() -> None:
    """A path with a line break in it forges nothing."""
    token = current_facts.set(RequestFacts("abc"))
    line = TextFormatter().format(_record("GET %s", "/a\nERROR x: forged\x1b[0m"))
    current_facts.reset(token)
    assert line.endswith("WARNING a.b: GET /a\\nERROR x: forged\\x1b[0m [abc]")
