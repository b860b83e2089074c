"""Where messages come from: a terminal with an editor of lines, or lines of a pipe."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from runtime.terminal.message_text import is_complete
from runtime.user_folders import user_state_dir

if TYPE_CHECKING:
    from prompt_toolkit.history import History

HISTORY_NAME = "chat-history"
_PROMPT = "> "


class Reader(Protocol):
    """Reads what the user types."""

    def read(self) -> str:
        """Return the next whole message as typed.

        Raises:
            EOFError: There is no more.
            KeyboardInterrupt: Ctrl-C was typed.
        """


def open_reader(commands: Sequence[str], files_follow: Callable[[str], bool]) -> Reader:
    """Return the best way to read from this stdin.

    Args:
        commands: The words that begin commands, for completion.
        files_follow: Says whether a typed command goes on with a path.
    """
    is_attended = sys.stdin.isatty() and sys.stdout.isatty()
    if is_attended and os.environ.get("TERM") != "dumb":
        return _Editor(commands, files_follow)
    return _Lines(is_attended=is_attended)


class _Lines:
    """Lines as they come; where a person types them, a mark says that they may."""

    def __init__(self, *, is_attended: bool) -> None:
        self._is_attended = is_attended

    def read(self) -> str:
        lines = [self._line()]
        while not is_complete("\n".join(lines)):
            try:
                lines.append(self._line())
            except EOFError:
                break
        return "\n".join(lines)

    def _line(self) -> str:
        if self._is_attended:
            sys.stdout.write(_PROMPT)
            sys.stdout.flush()
        if not (line := sys.stdin.readline()):
            raise EOFError
        return line.removesuffix("\n").removesuffix("\r")


class _Editor:
    """A line editor with history over sessions, completion, and messages of several lines."""

    def __init__(self, commands: Sequence[str], files_follow: Callable[[str], bool]) -> None:
        from prompt_toolkit import PromptSession

        from runtime.terminal.completion import ChatCompleter
        from runtime.terminal.keys import key_bindings

        self._session: PromptSession[str] = PromptSession(
            _PROMPT,
            multiline=True,
            prompt_continuation="  ",
            history=_history(),
            completer=ChatCompleter(commands, files_follow),
            complete_while_typing=False,
            key_bindings=key_bindings(),
        )

    def read(self) -> str:
        return self._session.prompt()


def _history() -> "History":
    """Return what was typed before, in a file of the user's own; in memory where there is none."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    try:
        path = user_state_dir() / HISTORY_NAME
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except (OSError, RuntimeError):
        return InMemoryHistory()
    return FileHistory(path)
