"""Markdown as a terminal shows it, while it grows.

Every character of the text is kept, its marks too, and only styled: what is copied from the
terminal is the answer.
"""

import re

RESET = "\x1b[0m"
BOLD = "\x1b[1m"
DIM = "\x1b[2m"
ITALIC = "\x1b[3m"
CODE = "\x1b[36m"

_FENCE = re.compile(r" {0,3}(```+(?=[^`]*$)|~~~+)")
_HEADING = re.compile(r" {0,3}#{1,6}(?=\s)")
_BULLET = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])(?=\s)")
_QUOTE = re.compile(r" {0,3}>")
# What a line may begin with while it is not known yet what it is.
_UNDECIDED = re.compile(r"\s*(?:#{0,6}|[-*+>]?|\d{0,9}[.)]?|`{1,3}|~{1,3})")
_MARKS = "*_`"


class MarkdownPainter:
    """Styles one text; it may come in pieces cut anywhere."""

    def __init__(self) -> None:
        self._held = ""
        self._is_line_start = True
        self._fence = ""
        self._before = "\n"
        self._line_style = ""
        self._code_mark = ""
        self._emphasis: list[str] = []

    def feed(self, text: str) -> str:
        """Take more of the text, and return what can be shown of it."""
        return self._paint(text, is_end=False)

    def finish(self) -> str:
        """Return what was held back, with all styles ended."""
        shown = self._paint("", is_end=True)
        has_style = self._line_style or self._emphasis or self._code_mark or self._fence
        return shown + RESET if has_style else shown

    def _paint(self, text: str, *, is_end: bool) -> str:
        self._held += text
        shown = []
        while self._held and (piece := self._next(is_end=is_end)) is not None:
            shown.append(piece)
        return "".join(shown)

    def _next(self, *, is_end: bool) -> str | None:
        """Take one piece off what is held; None where more text is needed to tell what it is."""
        if self._fence:
            return self._fenced_line(is_end=is_end)
        if self._is_line_start:
            return self._line_start(is_end=is_end)
        return self._inline(is_end=is_end)

    def _fenced_line(self, *, is_end: bool) -> str | None:
        if not self._is_line_start:
            return self._code_text()
        line, newline, _ = self._held.partition("\n")
        if not newline and not is_end and set(line.strip()) <= {self._fence[0]}:
            return None
        self._is_line_start = False
        mark = line.strip()
        if mark.startswith(self._fence) and len(set(mark)) == 1:
            self._fence = ""
            return f"{RESET}{DIM}{self._take(len(line))}{RESET}"
        return ""

    def _code_text(self) -> str:
        line, newline, _ = self._held.partition("\n")
        self._drop(len(line) + len(newline))
        self._is_line_start = bool(newline)
        return line + newline

    def _line_start(self, *, is_end: bool) -> str | None:
        line, newline, _ = self._held.partition("\n")
        is_whole = bool(newline) or is_end
        if not is_whole and (_UNDECIDED.fullmatch(line) or _FENCE.match(line)):
            return None
        self._is_line_start = False
        if fence := _FENCE.match(line):
            self._fence = fence[1]
            self._drop(len(line) + len(newline))
            self._is_line_start = bool(newline)
            return f"{DIM}{line}{RESET}{newline}{CODE}"
        if heading := _HEADING.match(line):
            self._line_style = BOLD
            return f"{BOLD}{self._take(heading.end())}"
        if _QUOTE.match(line):
            self._line_style = DIM
            return DIM
        if bullet := _BULLET.match(line):
            return f"{BOLD}{self._take(bullet.end())}{RESET}"
        return ""

    def _inline(self, *, is_end: bool) -> str | None:
        character = self._held[0]
        if character == "\n":
            return self._end_line()
        if character not in _MARKS:
            length = next(
                (place for place, one in enumerate(self._held) if one in f"{_MARKS}\n"),
                len(self._held),
            )
            return self._take(length)
        length = len(self._held) - len(self._held.lstrip(character))
        if length == len(self._held) and not is_end:
            return None
        before, after = self._before, self._held[length : length + 1] or "\n"
        run = self._take(length)
        if character == "`":
            return self._code(run)
        return run if self._code_mark else self._emphasised(run, before, after)

    def _code(self, run: str) -> str:
        if self._code_mark == run:
            self._code_mark = ""
            return f"{run}{self._styles()}"
        if self._code_mark:
            return run
        self._code_mark = run
        return f"{CODE}{run}"

    def _emphasised(self, run: str, before: str, after: str) -> str:
        inside_word = run[0] == "_" and before.isalnum() and after.isalnum()
        if (
            self._emphasis
            and self._emphasis[-1] == run
            and not before.isspace()
            and not inside_word
        ):
            self._emphasis.pop()
            return f"{run}{self._styles()}"
        if len(run) <= 3 and not after.isspace() and not inside_word and run not in self._emphasis:
            self._emphasis.append(run)
            return f"{self._styles()}{run}"
        return run

    def _styles(self) -> str:
        emphasis = "".join(
            {1: ITALIC, 2: BOLD, 3: BOLD + ITALIC}[len(run)] for run in self._emphasis
        )
        return f"{RESET}{self._line_style}{emphasis}"

    def _end_line(self) -> str:
        """End the line, and emphasis with it: a mark that is never closed styles no more."""
        has_style = bool(self._line_style or self._emphasis or self._code_mark)
        self._line_style = self._code_mark = ""
        self._emphasis.clear()
        self._is_line_start = True
        self._take(1)
        return f"{RESET}\n" if has_style else "\n"

    def _take(self, length: int) -> str:
        taken = self._held[:length]
        self._drop(length)
        return taken

    def _drop(self, length: int) -> None:
        self._before = self._held[length - 1] if length else self._before
        self._held = self._held[length:]
