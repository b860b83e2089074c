"""The log: where it goes, how much of it, and its form."""

import logging
import os
import sys
import time

import msgspec

from runtime.errors import UsageError
from runtime.server.request_facts import current_facts
from runtime.settings.values import Settings

FORMATS = ("text", "json")

# llama.cpp's numbers.
_LEVELS = {0: logging.ERROR, 1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO}


def set_up_log(settings: Settings) -> None:
    """Configure logging for the whole program.

    Raises:
        UsageError: The format is unknown, or the file cannot be written.
    """
    if settings.log_format not in FORMATS:
        raise UsageError(
            f"--log-format is {settings.log_format!r}.", hint=f"It is {' or '.join(FORMATS)}."
        )
    file = settings.log_file
    handler = _file_handler(file) if file else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    level = _level(settings)
    logging.basicConfig(level=level, handlers=[handler])
    if level > logging.DEBUG:
        # It tells of every answer that Ctrl-C cuts off; our own errors are logged by us.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)


def _level(settings: Settings) -> int:
    if settings.verbose:
        return logging.DEBUG
    asked = settings.log_verbosity
    if asked is None:
        asked = 3 if settings.log_file or settings.log_format == "json" else 2
    return _LEVELS.get(max(0, asked), logging.DEBUG)


def _file_handler(path: str) -> logging.Handler:
    """Return what adds to a file; a new one is its owner's alone."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--log-file cannot write {path}: {error.strerror}.", hint="Name another file."
        ) from error


class TextFormatter(logging.Formatter):
    """One line for each record, with the request it belongs to."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line, which no text from a client can break in two."""
        request_id = _request_id()
        record.message = record.message.translate(_CONTROLS)
        return super().formatMessage(record) + (f" [{request_id}]" if request_id else "")


class JsonFormatter(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{seconds}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := _request_id():
            line["request_id"] = request_id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {9: "\t", 10: "\\n", 13: "\\r"}


def _request_id() -> str:
    facts = current_facts.get()
    return facts.id if facts else ""
