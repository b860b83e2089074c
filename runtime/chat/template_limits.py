"""How much one rendering of a chat template may do.

A hostile template can loop for ever, double a text forty times, or nest lists in lists until one
line of JSON is larger than the memory. Time is looked at between operations, so no operation may
take long itself: texts, lists and numbers have limits, and what would make larger ones is refused
before it begins.
"""

import itertools
import re
import time
from collections.abc import Iterable
from typing import Any

from jinja2 import TemplateError

MAX_SECONDS = 5.0
# Characters of one text, or elements of one list with all that it contains; two million tokens.
MAX_SIZE = 8 * 1024 * 1024
# The same for all that one rendering makes.
MAX_TOTAL_SIZE = 16 * MAX_SIZE
MAX_INTEGER_BITS = 4096

_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_CONTAINERS: tuple[type, ...] = (list, tuple, dict, *_VIEWS)
_SIZED = (bytes, *_CONTAINERS)
# A width of four digits, or one that another value gives.
_WIDE_PERCENT_FIELD = re.compile(r"%(?:\([^)]*\))?[^a-zA-Z%]*(?:\d{4}|\*)")
_WIDE_BRACE_FIELD = re.compile(r"\{[^{}]*(?:\d{4}|\{)")
_MAX_WIDTH = 999


class LimitError(TemplateError):
    """A template does more than a rendering may."""


class Rendering:
    """Counts what one rendering does."""

    def __init__(self) -> None:
        self._deadline = time.monotonic() + MAX_SECONDS
        self._total = 0
        # The values are kept, so that their ids stay theirs.
        self._sizes: dict[int, tuple[int, Any]] = {}

    def tick(self) -> None:
        """Take note that something is done.

        Raises:
            LimitError: The time is over.
        """
        if time.monotonic() > self._deadline:
            raise LimitError(f"it takes more than {MAX_SECONDS:g} seconds")

    def expect(self, size: int) -> None:
        """Take note that a value of this size is about to be made.

        Raises:
            LimitError: It is too large.
        """
        if size > MAX_SIZE:
            raise LimitError(f"it makes more than {MAX_SIZE} characters or elements at once")

    def expect_bits(self, num_bits: int) -> None:
        """Take note that a number of so many bits is about to be computed.

        Raises:
            LimitError: It is too large.
        """
        if num_bits > MAX_INTEGER_BITS:
            raise LimitError(f"it computes a number of more than {MAX_INTEGER_BITS} bits")

    def made(self, value: Any) -> Any:
        """Take note of a new value and return it.

        Raises:
            LimitError: It is too large, or all are together.
        """
        if isinstance(value, str):
            size = len(value)
        elif isinstance(value, int):
            self.expect_bits(value.bit_length())
            return value
        elif isinstance(value, _SIZED):
            size = self.size(value)
        else:
            return value
        self.expect(size)
        self._total += len(value)
        if self._total > MAX_TOTAL_SIZE:
            raise LimitError(f"it makes more than {MAX_TOTAL_SIZE} characters and elements in all")
        return value

    def size(self, value: Any) -> int:
        """Return about how many characters a value has when it is written out."""
        if isinstance(value, (str, bytes)):
            return len(value) + 1
        if not isinstance(value, _CONTAINERS):
            return 1
        known = self._sizes.get(id(value))
        if known is None:
            parts: Any = value
            if isinstance(value, dict):
                parts = itertools.chain(value, value.values())
            # What was made is never changed: the sandbox refuses that.
            known = self._sizes[id(value)] = (1 + sum(map(self.size, parts)), value)
        return known[0]

    def join(self, texts: Iterable[str]) -> str:
        """Return the texts as one.

        Raises:
            LimitError: It is too large.
        """
        pieces = []
        size = 0
        for text in texts:
            size += len(text)
            if size > MAX_SIZE:
                self.expect(size)
            pieces.append(text)
        joined: str = self.made("".join(pieces))
        return joined

    def expect_percent_format(self, pattern: str, values: Any) -> None:
        """Take note that `%` is about to format values.

        Raises:
            LimitError: A field's width is large or comes from a value, or the text is too large.
        """
        self._expect_fields(_WIDE_PERCENT_FIELD, pattern, pattern.count("%"), values)

    def expect_brace_format(self, pattern: str, values: Any) -> None:
        """Take note that `format` is about to format values.

        Raises:
            LimitError: A field's width is large or comes from a value, or the text is too large.
        """
        fields = pattern.replace("{{", "").replace("}}", "")
        self._expect_fields(_WIDE_BRACE_FIELD, fields, fields.count("{"), values)

    def _expect_fields(
        self, wide_field: re.Pattern[str], pattern: str, num_fields: int, values: Any
    ) -> None:
        if wide_field.search(pattern):
            raise LimitError(f"it formats a field wider than {_MAX_WIDTH}")
        self.expect(len(pattern) + num_fields * (_MAX_WIDTH + self.size(values)))
