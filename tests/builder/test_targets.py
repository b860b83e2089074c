"""The systems a solofile can be made for."""

import platform
import sys

import pytest

from builder.errors import ToolError
from builder.targets import TARGETS, find_target, host_target


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "linux-x86_64"),
        ("linux", "aarch64", "linux-aarch64"),
        ("darwin", "arm64", "macos-arm64"),
        ("darwin", "x86_64", "macos-x86_64"),
        ("win32", "AMD64", "windows-x86_64"),
    ],
)
def test_host_target(monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str) -> None:
    """Whatever a system calls its processor, it is one target."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert host_target() == TARGETS[name]


def test_an_unknown_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine nothing can be made for is named with those something can."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(ToolError, match="linux-riscv64 is not a target") as caught:
        host_target()
    assert caught.value.hint.endswith("windows-x86_64.")
    assert find_target("linux-aarch64").executable_suffix == ""
