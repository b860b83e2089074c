"""A program for the converter's environment: runs llama.cpp's own script and tells how far it is.

Its job and its messages are those of child.py, whose modules it cannot import: in that environment
there are torch and transformers, and not what the builder needs. The script gets the arguments it
would get on a command line. No code that comes with a checkpoint is run.
"""

import importlib
import json
import logging
import os
import runpy
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any, NoReturn


def main() -> None:
    """Do the job that stands on stdin."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What libraries print is for the log, not for the one who reads messages.
    messages, sys.stdout = sys.stdout, sys.stderr
    teller = _Teller(messages)
    source = Path(job["source"])
    sys.path[:0] = [str(source), str(source / "gguf-py")]
    sys.argv = [job["script"], *job["arguments"]]
    os.environ["HF_HUB_OFFLINE"] = "1"
    logging.getLogger().addHandler(teller)
    try:
        _refuse_code()
        _watch_writing(teller)
        runpy.run_path(str(source / job["script"]), run_name="__main__")
    except SystemExit as end:
        if end.code:
            teller.tell(failure=teller.errors[-1] if teller.errors else "it said nothing")
            return
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        teller.tell(failure=f"{type(error).__name__}: {lines[0]}".rstrip(".: "))
        return
    teller.tell(is_done=True)
    # Taking torch down in good order takes a second, and nothing is left to do.
    os._exit(0)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


class _Teller(logging.Handler):
    """Sends messages, and keeps what the script logs as errors."""

    def __init__(self, messages: IO[str]) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []
        self._messages = messages

    def tell(self, **message: Any) -> None:
        self._messages.write(json.dumps(message) + "\n")
        self._messages.flush()

    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(record.getMessage().strip().rstrip("."))


def _refuse_code() -> None:
    """Let transformers run no code out of a checkpoint, even where the script would allow it."""
    from transformers import dynamic_module_utils

    resolve = dynamic_module_utils.resolve_trust_remote_code

    def refuse(*_: object, **__: object) -> NoReturn:
        raise ValueError("it needs code that comes with it, and such code is never run")

    def resolve_without_trust(_: object, *arguments: Any, **options: Any) -> object:
        try:
            return resolve(False, *arguments, **options)
        except ValueError:
            refuse()

    dynamic_module_utils.resolve_trust_remote_code = resolve_without_trust
    dynamic_module_utils.get_class_in_module = refuse


def _watch_writing(teller: _Teller) -> None:
    """Tell of the bytes as they are written: the converter computes a tensor only then."""
    import gguf

    tqdm: Any = importlib.import_module("tqdm")
    writer_class: Any = gguf.GGUFWriter

    class Bar:
        def __init__(self, *_: object, total: int, **__: object) -> None:
            teller.tell(size_bytes=total)

        def update(self, written: int) -> None:
            teller.tell(written_bytes=written)

    write = writer_class.write_tensors_to_file

    def watched(writer: Any, *, progress: bool = False) -> None:
        del progress
        tqdm.tqdm = Bar
        write(writer, progress=True)

    writer_class.write_tensors_to_file = watched


if __name__ == "__main__":
    main()
