"""Tests of the options that a command line is given."""

import argparse
import os
import subprocess
import sys
from typing import Any

import pytest

from runtime.cli.command import Parser
from runtime.errors import UsageError
from runtime.settings.flags import add_options

# Names no option, so that all are added.
_EVERYTHING = ["--help"]


def test_booleans_have_two_flags() -> None:
    """`--repack` turns on, `--no-repack` and llama.cpp's `-nr` turn off, silence says nothing."""
    parser = _parser(_EVERYTHING)
    assert vars(parser.parse_args([])) == {}
    assert vars(parser.parse_args(["--repack", "--no-browser"])) == {
        "repack": True,
        "browser": False,
    }
    assert vars(parser.parse_args(["-nr"])) == {"repack": False}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "-c 512 -t2 -np 4 --port=0 --no-browser",
        "-c512",
        "--temp 0.5 --temp=0.7 -n -1",
        "--lora a --lora b -nr --repack",
        "words --seed 1 -- --more",
        "-vnr",
        "--temperature 1",
        "--tem 1",
        "--port -c 512",
        "--port",
        "--port many",
        "-ct q8_0",
        "-sys -verbose",
    ],
)
def test_parsing_needs_the_named_options_alone(line: str) -> None:
    """What the shortened parser makes of a command line is what the full one does."""
    assert _parsed(_parser(line.split()), line) == _parsed(_parser(_EVERYTHING), line)


def _parser(arguments: list[str]) -> Parser:
    parser = Parser("serve", "", "")
    parser.add_argument("words", nargs="*", default=argparse.SUPPRESS)
    add_options(parser, ("model", "server", "sampling"), arguments)
    return parser


def _parsed(parser: Parser, line: str) -> dict[str, Any] | str:
    try:
        return vars(parser.parse_args(line.split()))
    except UsageError as error:
        return str(error)


IMPORTED = """
import sys
from runtime.cli.commands import run
from runtime.errors import AppError
try:
    run(["run", "Hi", *sys.argv[1:]])
except AppError as error:
    print(error)
print("runtime.settings.options" in sys.modules)
"""


@pytest.mark.parametrize(("flags", "is_imported"), [([], "False"), (["--temp", "0"], "True")])
def test_a_start_without_flags_imports_none(flags: list[str], is_imported: str) -> None:
    """It is sooner by that."""
    command = [sys.executable, "-c", IMPORTED, *flags]
    environment = os.environ | {"SOLOFILE_MODEL": "nowhere.gguf"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    told, last = done.stdout.splitlines()
    assert "nowhere.gguf" in told
    assert last == is_imported
