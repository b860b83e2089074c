"""What `bench` says before it measures anything."""

import pytest
from click.testing import CliRunner

from bench.servers import OTHERS
from builder.cli import bench as command
from runtime.errors import UsageError


def test_list_names_every_workload() -> None:
    """Each has a line of its own."""
    result = CliRunner().invoke(command.bench, ["--list"])
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == [
        "cold-start",
        "first-start",
        "baked-start",
        "decode",
        "prompt",
        "clients",
        "shared-prefix",
        "long-prompt",
        "chat",
        "agreement",
    ]


def test_unknown_workload_is_refused_before_anything_starts() -> None:
    """The error lists what there is."""
    with pytest.raises(UsageError, match="There is no workload nothing") as caught:
        CliRunner().invoke(command.bench, ["decode", "nothing"], catch_exceptions=False)
    assert "cold-start" in caught.value.hint


def test_choices_are_the_servers_there_are() -> None:
    """The command names them without importing the bench, which an installation lacks."""
    assert set(command.OTHERS) == set(OTHERS)
