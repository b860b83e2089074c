"""Running native code in a process of its own: it may crash, and its memory goes with it.

Both sides of the pipe are here. The parent sends one job and reads messages, each a line of JSON;
whatever else the child prints, such as a failed assertion of llama.cpp, is kept for its end.
"""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

import builder
from builder import console
from builder.errors import DiskError, ToolError
from runtime.errors import AppError

T = TypeVar("T")
_PROJECT = Path(builder.__file__).parents[1]
_KEPT_LINES = 20


class Message(msgspec.Struct, omit_defaults=True):
    """What a child tells.

    Args:
        tensor: The tensor it is done with.
        kind: The type it has now, in llama.cpp's spelling.
        size_bytes: How much it is going to write.
        written_bytes: How much more it has written.
        needs_imatrix: Whether it found that it cannot go on without an importance matrix.
        num_chunks: How many parts of a text it is going to compute.
        losses: The negative log likelihoods of the part's tokens.
        is_next: Whether it goes on with the next of several things.
        failure: Why it gave up, as llama.cpp puts it.
        exit_code: What the builder then ends with.
        is_done: Whether it has done all there was to do.
    """

    tensor: str = ""
    kind: str = ""
    size_bytes: int = 0
    written_bytes: int = 0
    needs_imatrix: bool = False
    num_chunks: int = 0
    losses: list[float] = []
    is_next: bool = False
    failure: str = ""
    exit_code: int = ToolError.exit_code
    is_done: bool = False


class ChildFailedError(ToolError):
    """Native code gave up or crashed; `why` is what it said of that.

    Where what it was given is the reason, such as a text that is too short, the exit code is that
    of this reason.
    """

    def __init__(self, what: str, why: str, exit_code: int = ToolError.exit_code) -> None:
        super().__init__(f"{what}: {why}.")
        self.why = why
        self.exit_code = exit_code


def run_child(module: str, job: msgspec.Struct, *, what: str) -> Iterator[Message]:
    """Run a module's `main` in a process of its own and yield what it tells.

    The process ends with this one, however that ends, and when the iterator is closed.

    Args:
        module: The module, which calls `read_job` and `tell`.
        job: What it is to do.
        what: What failed where it fails, for people: `Quantizing failed`.

    Raises:
        ChildFailedError: It gave up or crashed.
    """
    paths = filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    return _run([sys.executable, "-m", module], environment, job, what=what, who="llama.cpp")


def run_chunks(module: str, job: msgspec.Struct, *, label: str, what: str) -> Iterator[Message]:
    """Run a process that computes a text, show how far it is, and yield what it tells of a chunk.

    Args:
        module: The module, as `run_child` takes it.
        job: What it is to do.
        label: What it does, for people.
        what: What failed where it fails.

    Raises:
        ChildFailedError: It failed.
    """
    messages = run_child(module, job, what=what)
    # Loading a model takes a while, and until then nobody knows how many chunks there are.
    first = next(messages)
    with console.progress(label, first.num_chunks, unit_is_bytes=False) as advance:
        for message in messages:
            if message.is_next:
                advance(1)
                yield message


def run_script(
    python: Path, script: Path, job: Mapping[str, object], *, what: str, who: str
) -> Iterator[Message]:
    """Run a program by another Python, with no modules of ours, and yield what it tells.

    Args:
        python: The interpreter.
        script: The program, which keeps to what `read_job` and `tell` do.
        job: What it is to do.
        what: What failed where it fails, for people.
        who: What crashed where it crashes: `transformers`.

    Raises:
        ChildFailedError: It gave up or crashed.
    """
    return _run([str(python), "-I", str(script)], os.environ, job, what=what, who=who)


def _run(
    command: list[str], environment: Mapping[str, str], job: object, *, what: str, who: str
) -> Iterator[Message]:
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdin, "opened with a pipe"
        assert process.stdout, "opened with a pipe"
        said: deque[str] = deque(maxlen=_KEPT_LINES)
        is_done = False
        try:
            process.stdin.write(msgspec.json.encode(job, enc_hook=str) + b"\n")
            process.stdin.flush()
            for line in process.stdout:
                message = _message(line)
                if message is None:
                    said.append(line.decode(errors="replace").strip())
                elif message.failure:
                    raise ChildFailedError(what, message.failure, message.exit_code)
                else:
                    is_done = is_done or message.is_done
                    yield message
        except BrokenPipeError:
            pass
        finally:
            process.kill()
            process.wait()
        if not is_done:
            raise ChildFailedError(what, _last_words(said, process.returncode, who))


def _message(line: bytes) -> Message | None:
    try:
        return msgspec.json.decode(line, type=Message)
    except msgspec.DecodeError:
        return None


def _last_words(said: deque[str], code: int, who: str) -> str:
    # A failed assertion stands before the stack it leaves behind.
    telling = [line for line in said if "GGML_ASSERT" in line or "Error" in line]
    words = (telling or [line for line in said if line] or ["it said nothing"])[-1]
    return f"{who} crashed: {words.rstrip('.')}" if code else words.rstrip(".")


def read_job(kind: type[T]) -> T:
    """In the child: return the job, and see to it that this process ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Paths are the one type that JSON does not know.
    job = msgspec.json.decode(
        sys.stdin.buffer.readline(), type=kind, dec_hook=lambda _, text: Path(text)
    )
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return job


@contextmanager
def telling_outcome(folder: Path | None = None, *, with_hints: bool = False) -> Iterator[None]:
    """In the child: tell how the work inside the block ended.

    Args:
        folder: What it writes to, which an error of the disk is put down to; None where it writes
            nothing.
        with_hints: Whether what to do about a failure is told, too.
    """
    try:
        yield
    except AppError as error:
        said = str(error) if with_hints else error.message
        # The root's own code says less than that a tool failed.
        is_plain = error.exit_code == AppError.exit_code
        code = ToolError.exit_code if is_plain else error.exit_code
        tell(Message(failure=said.rstrip("."), exit_code=code))
    except OSError as error:
        if folder is None:
            raise
        failure = f"{folder} cannot take the result: {error.strerror}"
        tell(Message(failure=failure, exit_code=DiskError.exit_code))
    else:
        tell(Message(is_done=True))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def tell(message: Message) -> None:
    """In the child: send a message."""
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()
