"""Text constrained by a GBNF grammar, through llama.cpp's grammar sampler.

The sampler ends the process when it is shown a token that its grammar forbids; so each token is
checked before it is shown.
"""

import ctypes
import math
import os
import re
import sys
from collections.abc import Callable
from typing import IO, Any

from runtime.engine.model import Model
from runtime.errors import RequestError

# Deeper nesting would overflow the stack of llama.cpp's parser; longer texts would take seconds.
MAX_NESTING = 100
MAX_GRAMMAR_CHARS = 200_000

ROOT = b"root"

# Strings, character classes and comments, whose parentheses do not nest.
_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|#.*')
_MAX_REASON_CHARS = 200


class Grammar:
    """How far one text has come in its grammar."""

    def __init__(self, api: Any, handle: Any) -> None:
        self._api = api
        self._handle = handle
        self._one = (api.llama_token_data * 1)()

    @classmethod
    def parse(cls, api: Any, model: Model, source: str) -> "Grammar":
        """Read a grammar.

        Raises:
            RequestError: It is not valid, with llama.cpp's reason.
        """
        _check_size(source)
        handle, complaint = _with_stderr(
            lambda: api.llama_sampler_init_grammar(
                model.vocab, source.encode(errors="replace"), ROOT
            )
        )
        if not handle:
            raise RequestError(f"The grammar is not valid: {_reason(complaint, source)}.")
        return cls(api, handle)

    def allows(self, token: int) -> bool:
        """Say whether a token may come next."""
        self._one[0] = self._api.llama_token_data(token, 1.0, 0.0)
        array = self._api.llama_token_data_array(
            ctypes.cast(self._one, self._api.llama_token_data_p), 1, -1, False
        )
        self.apply(array)
        return not math.isinf(self._one[0].logit)

    def apply(self, candidates: Any) -> None:
        """Take the chance from every candidate that may not come next."""
        self._api.llama_sampler_apply(self._handle, ctypes.byref(candidates))

    def accept(self, token: int) -> None:
        """Go on by a token."""
        assert self.allows(token), "llama.cpp ends the process otherwise"
        self._api.llama_sampler_accept(self._handle, token)

    def reset(self) -> None:
        """Go back to the beginning."""
        self._api.llama_sampler_reset(self._handle)

    def close(self) -> None:
        """Free the sampler."""
        self._api.llama_sampler_free(self._handle)


def _check_size(source: str) -> None:
    if "\0" in source:
        raise RequestError("The grammar is not valid: it has a zero byte.")
    if len(source) > MAX_GRAMMAR_CHARS:
        raise RequestError(f"The grammar is longer than {MAX_GRAMMAR_CHARS} characters.")
    depth = 0
    for character in _LITERAL.sub("", source):
        depth += (character == "(") - (character == ")")
        if depth > MAX_NESTING:
            raise RequestError(f"The grammar nests parentheses over {MAX_NESTING} deep.")


def _with_stderr(call: Callable[[], Any]) -> tuple[Any, str]:
    """Return a call's result and what C code wrote to stderr, llama.cpp's one way to say why."""
    sys.stderr.flush()
    with _scratch_file() as file:
        saved = os.dup(2)
        try:
            os.dup2(file.fileno(), 2)
            result = call()
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        file.seek(0)
        return result, file.read().decode(errors="replace")


def _scratch_file() -> IO[bytes]:
    """Return an empty file without a name, in memory where the system can."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    # Seldom needed, and it imports a dozen modules.
    import tempfile

    return tempfile.TemporaryFile()


def _reason(complaint: str, source: str) -> str:
    """Return the reason in what llama.cpp wrote, without the grammar's text behind it."""
    first = complaint.partition("error parsing grammar: ")[2].partition("\n")[0].strip()
    if first:
        return first[:_MAX_REASON_CHARS]
    if "root" not in source:
        return "it has no rule named root"
    return "llama.cpp refuses it, maybe for left recursion"
