"""Tests of how a double click is told from other starts."""

import io
import os
import sys

import pytest

from runtime.desktop.attendance import has_screen, was_double_clicked


@pytest.fixture(autouse=True)
def double_click(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a desktop gives a program that is double-clicked."""
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(sys, "argv", ["model"])
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.StringIO())


def test_no_arguments_and_no_terminal_are_a_double_click() -> None:
    """With a screen, that is."""
    assert was_double_clicked()


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_a_terminal_is_none(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the streams it is at."""
    leader, follower = os.openpty()
    with os.fdopen(leader, "rb"), os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, stream, terminal)
        assert not was_double_clicked()


def test_arguments_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts and services give some."""
    monkeypatch.setattr(sys, "argv", ["model", "serve"])
    assert not was_double_clicked()


def test_a_machine_without_a_screen_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container nobody double-clicks; nor over SSH, where windows would open far away."""
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    assert not has_screen()
    monkeypatch.delenv("SSH_CONNECTION")
    monkeypatch.setenv("DISPLAY", "")
    assert has_screen() == (sys.platform in ("win32", "darwin"))
