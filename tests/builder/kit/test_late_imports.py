"""Tests of imports that are moved to where they are used: what runs when, and what stays."""

import builtins
import sys
from typing import Any

import pytest

from builder.kit.module_code import module_code


class Module:
    """A module as the frozen runtime runs it, and what it has imported by now."""

    def __init__(self, source: str, name: str = "some.module") -> None:
        self.imported: list[str] = []

        def note(asked: str, *arguments: Any) -> Any:
            self.imported.append(asked)
            return builtins.__import__(asked, *arguments)

        self.names: dict[str, Any] = {
            "__name__": name,
            "__package__": name.rpartition(".")[0],
            "__builtins__": vars(builtins) | {"__import__": note},
        }
        exec(module_code(source, name, is_package=False), self.names)


def test_an_import_runs_where_its_name_is_used() -> None:
    """The module's own run does without, and so does a branch that does not use it."""
    module = Module("""
import csv, os
from secrets import token_hex as token

def read(lines, late):
    if late:
        return list(csv.reader(lines))
    return os.sep

class Maker:
    def make(self):
        return [token(2) for _ in range(2)]
""")
    assert module.imported == ["os"]
    module.names["read"]([], late=False)
    assert module.imported == ["os"]
    assert module.names["read"](["a,b"], late=True) == [["a", "b"]]
    assert module.imported == ["os", "csv"]
    assert [len(text) for text in module.names["Maker"]().make()] == [4, 4]


@pytest.mark.parametrize(
    "source",
    [
        "import inspect\ndef f(a=inspect.Parameter.empty): ...",
        "import inspect\nclass C(inspect.Signature): ...",
        "import inspect\nx = inspect",
        "import inspect\nclass C:\n    x = inspect.Signature",
        "import inspect\nf = lambda: inspect",
        "import inspect\ninspect = None\ndef f(): return inspect",
        "import inspect\ndef f():\n    global inspect\n    inspect = None",
        "import sys\nif sys:\n    import inspect\ndef f(): return inspect",
        "import inspect\ndef f(): return inspect\ndef __getattr__(name): raise AttributeError",
    ],
)
def test_it_stays_where_the_module_itself_may_use_it(source: str) -> None:
    """As a default, a base, a value, in a lambda, or where something else has the name, too."""
    assert "inspect" in Module(source).imported


def test_what_nothing_uses_is_dropped() -> None:
    """Also under a condition, and where it is tried."""
    module = Module("""
import sys
if sys.version_info >= (3, 99):
    from typing import Nothing
else:
    from typing_extensions import TypeIs
try:
    from email.utils import formatdate
except ImportError:
    formatdate = None

def f(value: "TypeIs") -> "TypeIs":
    return value
""")
    assert module.imported == ["sys"]
    assert module.names["f"](1) == 1


def test_an_attempt_is_moved_whole() -> None:
    """A module that is frozen cannot be missing."""
    module = Module("""
try:
    import csv
except ImportError:
    csv = None

def read(lines):
    return csv and list(csv.reader(lines))
""")
    assert module.imported == []
    assert module.names["read"](["a"]) == [["a"]]


def test_a_parameter_of_the_name_is_another_thing() -> None:
    """Names that a function binds itself are not touched; functions inside it get their own."""
    module = Module("""
import csv

def own(csv):
    return csv

def outer():
    def inner(lines):
        return list(csv.reader(lines))
    return inner
""")
    assert module.names["own"](5) == 5
    assert module.imported == []
    assert module.names["outer"]()(["x"]) == [["x"]]


def test_modules_of_a_package_under_one_name() -> None:
    """`import a.b` binds a, as `import a` does; both move."""
    module = Module("""
import http.client
import http.cookies

def names():
    return http.client.HTTPConnection, http.cookies.SimpleCookie
""")
    assert module.imported == []
    assert len(module.names["names"]()) == 2


def test_relative_imports() -> None:
    """They count by the module they mean."""
    module = Module("from . import sslproto\ndef f(): return sslproto", "asyncio.other")
    assert module.imported == []
    assert module.names["f"]() is sys.modules["asyncio.sslproto"]


def test_a_package_imports_its_own_modules_itself() -> None:
    """Python asks a package for a module's name before it imports that; so may not the hook."""
    names: dict[str, Any] = {"__name__": "email", "__package__": "email", "__path__": []}
    exec(module_code("from . import utils\n", "email", is_package=True), names)
    assert names["utils"] is sys.modules["email.utils"]


def test_others_still_find_the_names() -> None:
    """Whoever asks the module for what it imported gets it; other names are none."""
    hook = Module("from email.utils import formatdate, parsedate\n").names["__getattr__"]

    assert hook("parsedate")("Mon, 23 Nov 2026 10:00:00 +0000")[:3] == (2026, 11, 23)
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        hook("other")
