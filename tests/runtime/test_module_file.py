"""Tests of the file that frozen modules are imported from."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from builder.kit.freeze import PATTERNS, PROJECT
from builder.kit.module_file import write_module_file
from runtime.module_file import FILE_NAME

_PATTERN = "(?P<word>a+)|b"

# Prints what it finds once the modules of a folder, the first argument, can be imported.
_PROGRAM = """
import json, re, sys
from runtime.module_file import ModuleFile
ModuleFile.open(sys.argv[1]).install()
import packed, packed.inner
compiled = re.compile(sys.argv[2])
print(json.dumps({
    "value": packed.inner.value,
    "file": packed.inner.__file__,
    "path": packed.__path__,
    "package": packed.inner.__package__,
    "groups": compiled.fullmatch("aa").groupdict(),
    "flags": compiled.flags == re.compile(sys.argv[2], re.DEBUG & 0).flags,
    "others": bool(re.compile("x+y", re.I).match("XXY")),
}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the file: a package with a module, and a compiled pattern."""
    patterns = tmp_path / "patterns.bin"
    command = [sys.executable, str(PATTERNS), str(patterns), str(PROJECT), "runtime.errors"]
    subprocess.run(command, check=True)
    write_module_file(
        tmp_path / FILE_NAME,
        [
            ("packed.inner", False, compile("value = 7", "packed/inner.py", "exec")),
            ("packed", True, compile("", "packed/__init__.py", "exec")),
        ],
        {},
        patterns,
    )
    return tmp_path


def test_modules_are_imported_from_the_file(folder: Path) -> None:
    """They know their names and places; patterns that are not inside are compiled as ever."""
    completed = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(folder), _PATTERN],
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(completed.stdout) == {
        "value": 7,
        "file": f"{folder}/packed/inner.pyc",
        "path": [f"{folder}/packed"],
        "package": "packed",
        "groups": {"word": "aa"},
        "flags": True,
        "others": True,
    }


_SAME = """
import importlib, re, sys
from runtime.module_file import ModuleFile
patterns = ModuleFile.open(sys.argv[1]).index.patterns
fresh = {key: re.compile(*key) for key in patterns}
re.purge()
ModuleFile.open(sys.argv[1]).install()
for key, pattern in fresh.items():
    stored = re.compile(*key)
    assert stored == pattern and stored is not pattern, key
    assert stored.groupindex == pattern.groupindex, key
print(len(patterns))
"""


def test_stored_patterns_are_those_that_python_compiles(folder: Path) -> None:
    """Each pattern out of the file equals, code and all, what `re` makes of its text."""
    completed = subprocess.run(
        [sys.executable, "-c", _SAME, str(folder)], capture_output=True, text=True, check=True
    )

    # Those of jinja2 alone are some dozen.
    assert int(completed.stdout) > 20


def test_no_other_module_is_found(folder: Path) -> None:
    """What is not inside is left to Python's own importers."""
    program = _PROGRAM.replace("import packed, packed.inner", "import packed.other")
    completed = subprocess.run(
        [sys.executable, "-c", program, str(folder), _PATTERN],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "No module named 'packed.other'" in completed.stderr
