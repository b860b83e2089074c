"""What Tab completes: commands, and paths behind those that want one."""

from collections.abc import Callable, Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document


class ChatCompleter(Completer):
    """Completes the line before the cursor.

    Args:
        commands: The words that begin commands.
        files_follow: Says whether a typed command goes on with a path.
    """

    def __init__(self, commands: Sequence[str], files_follow: Callable[[str], bool]) -> None:
        self._commands = commands
        self._files_follow = files_follow
        self._paths = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Yield what the text before the cursor may become."""
        text = document.text_before_cursor
        if not text.startswith("/"):
            return
        command, blank, path = text.partition(" ")
        if not blank:
            for name in self._commands:
                if name.startswith(command):
                    yield Completion(name, start_position=-len(command))
        elif self._files_follow(command):
            yield from self._paths.get_completions(Document(path, len(path)), complete_event)
