"""Tests of how a module is compiled for the frozen runtime."""

import traceback
from typing import Any

from builder.kit.module_code import module_code


def run(source: str, name: str = "some.module", *, is_package: bool = False) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": name}
    exec(module_code(source, name, is_package=is_package), names)
    return names


ANNOTATED = """
from dataclasses import dataclass

@dataclass
class Point:
    x: int
    y: int = 2

    def moved(self, by: "Nothing there" = 1, *all: int, way: str = "x", **more: int) -> "Point":
        return Point(self.x + by, self.y)

async def wait(seconds: int) -> None:
    pass
"""


def test_functions_lose_their_annotations_and_classes_keep_them() -> None:
    """Dataclasses are made from theirs; defaults and kinds of parameters stay."""
    names = run(ANNOTATED)
    point = names["Point"](1)

    assert names["Point"].__annotations__ == {"x": int, "y": int}
    assert (point.moved().x, point.moved(3, 4, way="y", z=1).x) == (2, 4)
    assert names["Point"].moved.__annotations__ == {}
    assert names["wait"].__annotations__ == {}


def test_a_servers_functions_keep_them() -> None:
    """They say which body a route takes."""
    names = run("def answer(body: int) -> str: ...", "runtime.server.some")

    assert names["answer"].__annotations__ == {"body": int, "return": str}


def test_no_docstring_is_left_and_no_dataclass_writes_one() -> None:
    """What a dataclass writes for itself takes longer than the rest of it."""
    names = run('"""Module."""\ndef f():\n    """Function."""\n' + ANNOTATED)

    assert names.get("__doc__") is None
    assert names["f"].__doc__ is None
    assert names["Point"].__doc__ == "Point"


def test_errors_name_their_file_and_line() -> None:
    """Moved imports and dropped annotations move no line."""
    source = "import csv\n\n\ndef fail():\n    csv.reader\n    raise OSError\n"
    names = run(source, "some.package", is_package=True)

    try:
        names["fail"]()
    except OSError as error:
        (frame,) = traceback.extract_tb(error.__traceback__)[1:]
    assert (frame.filename, frame.lineno) == ("some/package/__init__.py", 6)
