"""Run while freezing, by path: compiles the regular expressions that a start needs.

Python compiles them by Python code, which takes a tenth of a start's imports. Only the engine of
this very version of Python, which is frozen with them, understands the result.
"""

import _sre  # type: ignore[import-not-found] # in no stub
import importlib
import marshal
import sys
from pathlib import Path
from re import _compiler as compiler  # type: ignore[attr-defined] # in no stub
from typing import Any


def main() -> None:
    """Import modules and write what they compile: FILE PROJECT MODULE..."""
    file, project, *names = sys.argv[1:]
    sys.path[0] = project
    patterns: dict[tuple[str | bytes, int], tuple[Any, ...]] = {}
    compile_, make = compiler.compile, _sre.compile
    made: list[tuple[Any, ...]] = []

    def note(*arguments: Any) -> Any:
        made.append(arguments)
        return make(*arguments)

    def record(pattern: Any, flags: int = 0) -> Any:
        compiled = compile_(pattern, flags)
        _, all_flags, code, *groups = made.pop()
        # The numbers have names, which cannot be written.
        patterns[pattern, int(flags)] = (int(all_flags), [int(item) for item in code], *groups)
        return compiled

    _sre.compile = note
    compiler.compile = record
    for name in names:
        importlib.import_module(name)
    # jinja2 makes some more when it is first used.
    importlib.import_module("runtime.chat.sandbox").sandbox().from_string("{{ 1 }}")
    ordered = sorted(patterns.items(), key=repr)
    Path(file).write_bytes(marshal.dumps(dict(ordered)))


if __name__ == "__main__":
    main()
