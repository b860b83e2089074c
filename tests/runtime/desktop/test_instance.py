"""Tests of the claim to be the one process of a solofile."""

import socket
import stat
import threading
from pathlib import Path

import pytest

from runtime.desktop import instance as module
from runtime.desktop.instance import Instance
from runtime.engine.weights import Weights
from runtime.payload import Payload


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this user's processes keep what they know of each other."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "solofile"


def _payload(name: str = "model") -> Payload:
    path = Path("/models") / name
    return Payload(path, Weights(path, 0, 0), None)


def test_the_second_finds_the_first(folder: Path) -> None:
    """It learns the address as soon as the first listens there, and claims nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server, Instance.claim(_payload()) as first:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert first.address_of_other() is None
        with Instance.claim(_payload()) as second:
            threading.Timer(0.2, first.tell, (address,)).start()
            assert second.address_of_other() == address
            second.tell("http://127.0.0.1:1/")
        with Instance.claim(_payload()) as third:
            assert third.address_of_other() == address


def test_another_solofile_is_another_matter(folder: Path) -> None:
    """Files at other paths have claims of their own."""
    with Instance.claim(_payload()) as first, Instance.claim(_payload("other")) as second:
        first.tell("http://127.0.0.1:1/")
        assert second.address_of_other() is None


def test_one_that_ends_before_it_listens_leaves_its_place(folder: Path) -> None:
    """A second that waits for it becomes the first."""
    first = Instance.claim(_payload())
    with Instance.claim(_payload()) as second:
        threading.Timer(0.2, first.__exit__, (None, None, None)).start()
        assert second.address_of_other() is None
        second.tell("http://127.0.0.1:1/")
        assert [file.stat().st_size > 0 for file in folder.iterdir()] == [True]


def test_an_address_where_nobody_answers_is_not_opened(folder: Path) -> None:
    """A first that holds its claim but serves no more, as while it ends, is passed over."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
    with Instance.claim(_payload()) as first, Instance.claim(_payload()) as second:
        first.tell(address)
        assert second.address_of_other() is None


def test_a_silent_first_is_not_waited_for_long(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that never listens keeps nobody from a server."""
    monkeypatch.setattr(module, "_LISTENS_WITHIN_S", 0.2)
    with Instance.claim(_payload()), Instance.claim(_payload()) as second:
        assert second.address_of_other() is None


def test_others_may_not_look(folder: Path) -> None:
    """Folder and file are this user's alone; a folder that others may enter is not used."""
    with Instance.claim(_payload()):
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())]
        assert modes == [0o700, 0o600]
    folder.chmod(0o777)
    with Instance.claim(_payload()) as first, Instance.claim(_payload()) as second:
        first.tell("http://127.0.0.1:1/")
        assert second.address_of_other() is None
