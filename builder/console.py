"""The builder's one way out: results on stdout, commentary and progress on stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

MEBIBYTE = 1 << 20


def result(text: str) -> None:
    """Print an answer the user asked for."""
    click.echo(text)


def result_json(value: Any) -> None:
    """Print an answer for programs: what `--json` asks of any command."""
    import msgspec

    result(msgspec.json.format(msgspec.json.encode(value)).decode())


def info(text: str) -> None:
    """Print what is going on."""
    click.echo(text, err=True)


def warning(text: str) -> None:
    """Print something the user should know although work goes on."""
    click.secho(f"Warning: {text}", fg="yellow", err=True)


def error(text: str, hint: str = "") -> None:
    """Print why the command failed and what to do about it."""
    click.secho(f"Error: {text}", fg="red", err=True)
    if hint:
        info(hint)


def is_terminal() -> bool:
    """Say whether a person watches the commentary, so that bars may move."""
    return sys.stderr.isatty()


def human_bytes(size_bytes: int) -> str:
    """Return a size as people read it, in powers of 1000: `98.4 MB`."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def human_seconds(seconds: float) -> str:
    """Return a duration as people read it: `4.2 s`, `12 min 3 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


@contextmanager
def status(label: str) -> Iterator[None]:
    """Announce a step, and say how long it took once it is done."""
    started = time.monotonic()
    info(f"{label} ...")
    yield
    info(f"{label}: done in {human_seconds(time.monotonic() - started)}")


@contextmanager
def progress(
    label: str, total: int, *, unit_is_bytes: bool = True
) -> Iterator[Callable[[int], None]]:
    """Show a bar with rate and time left on a terminal, one line elsewhere.

    Yields:
        A function that takes how much more is done.
    """
    if not is_terminal():
        with status(label):
            yield lambda _: None
        return
    started = time.monotonic()

    def rate(position: int | None) -> str | None:
        elapsed = time.monotonic() - started
        if not position or elapsed <= 0:
            return None
        if unit_is_bytes:
            return f"{human_bytes(int(position / elapsed))}/s"
        return f"{position} of {total}"

    with click.progressbar(
        length=total, label=label, file=sys.stderr, show_eta=True, item_show_func=rate
    ) as bar:
        done = 0

        def advance(amount: int) -> None:
            nonlocal done
            done += amount
            bar.update(amount, done)

        yield advance
