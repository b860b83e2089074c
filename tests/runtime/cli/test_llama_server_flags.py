"""Tests of command lines written for llama-server."""

import re
import subprocess

import pytest

from runtime.cli.commands import run
from runtime.cli.llama_server_flags import known_flags, own_arguments
from runtime.errors import UsageError
from runtime.settings.options import OPTIONS
from tests.llama_server import built_llama_server

OWN = {flag for option in OPTIONS for flag in option.flags} | {"-h", "--help", "--version"}
# Its help lists flags in its first columns, and their values behind them.
_FLAGS = re.compile(r"^(-[^ ].*?)(?:(?<![, ])  |$)", re.MULTILINE)
_FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w.-]*")


def test_a_script_for_llama_server_is_taken() -> None:
    """What changes nothing is left aside with its values, and the rest stays as it is."""
    line = (
        "-ngl 99 -c 4096 --jinja --no-webui --cache-reuse 256 -fit on --port 9000 --metrics -fa on"
    )
    taken = own_arguments(line.split())
    own = "-ngl 99 -c 4096 --jinja --port 9000 -fa on"
    assert taken.arguments == own.split()
    assert taken.ignored == ["--no-webui", "--cache-reuse", "-fit", "--metrics"]
    assert own_arguments(["--cache-ram=0", "-c", "1"]).arguments == ["-c", "1"]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("-lm mlock", "--no-mmap --mlock"),
        ("--load-mode=mmap", "--mmap"),
        ("--reasoning-budget 0", "--reasoning off"),
        ("--reasoning-budget -1", ""),
        ("--reasoning-format auto", ""),
        ("--log-jsonl", "--log-format json"),
    ],
)
def test_some_flags_mean_one_of_ours(line: str, meant: str) -> None:
    """They are translated."""
    assert own_arguments(line.split()).arguments == meant.split()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-hf ggml-org/model", "-hf is not possible here. Nothing is downloaded"),
        ("--media-path x", "never from files"),
        ("--grammar x", "each request"),
        ("--tools all", "never by this server"),
        ("-lm dio", "-lm dio is not possible"),
        ("--reasoning-budget 500", "bounded by -n"),
        ("--load-mode", "is not possible"),
    ],
)
def test_what_cannot_be_done_is_refused(line: str, said: str) -> None:
    """With the reason, or what to do instead."""
    with pytest.raises(UsageError) as raised:
        own_arguments(line.split())
    assert said in str(raised.value)


def test_no_flag_is_in_two_tables() -> None:
    """Nor in one of them and among our own."""
    known = known_flags()
    tables = [set(known.ignored), set(known.refused), set(known.translated), OWN]
    assert sum(map(len, tables)) == len(set().union(*tables))


def test_every_flag_of_llama_server_is_known() -> None:
    """Each that its help lists is ours, translated, left aside or refused, and none is made up."""
    server = [str(built_llama_server()), "--help"]
    shown = subprocess.run(server, capture_output=True, text=True, check=True).stdout
    listed = {flag for line in _FLAGS.findall(shown) for flag in _FLAG.findall(line)}
    known = known_flags()
    named = {*known.ignored, *known.refused, *known.translated}
    assert len(listed) > 250
    assert listed - named - OWN == {"--usage"}
    assert named <= listed


def test_what_is_left_aside_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Once, before the server starts; other unknown flags are still mistakes."""
    with pytest.raises(UsageError, match="--nonsense"):
        run(["--numa", "isolate", "--metrics", "--nonsense"])
    assert capsys.readouterr().err == (
        "Flags of llama-server that change nothing here: --numa, --metrics.\n"
    )


def test_other_commands_take_their_own_flags_alone() -> None:
    """They are no server."""
    with pytest.raises(UsageError, match="-ngl"):
        run(["info", "-ngl", "9"])
