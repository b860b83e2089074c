"""What a process can do in the sandbox, and what it cannot: tried in real ones."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import UnsupportedError, UsageError
from runtime.sandbox import landlock, seccomp
from runtime.sandbox.reach import Reach
from runtime.sandbox.sandbox import ON, Sandbox, enter, possible_here

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has what it takes")

# What serving does: files that it was given, threads, its listener.
NEEDED = {
    "read", "write", "make", "rename", "remove", "start a thread", "accept", "pair of sockets",
}  # fmt: skip
# Files are opened everywhere where drivers of GPUs are to open theirs.
FILES = {
    "read passwd", "read beside", "list", "read another process", "write what is read",
    "make beside", "remove beside",
}  # fmt: skip
CALLS = {
    "change mode", "link", "symlink", "connect TCP", "bind TCP", "connect UDP", "make TCP",
    "make UDP", "make Unix", "look up", "execute", "spawn", "fork", "signal", "trace", "type",
}  # fmt: skip


def _confined(tmp_path: Path, when: str) -> dict[str, Any]:
    missing = possible_here().missing()
    if missing:
        pytest.skip(f"this kernel has not all of it: {missing}")
    for name in ("read", "write", "secret"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "keep").mkdir()
    ended = subprocess.run(
        [sys.executable, "-m", "tests.runtime.sandbox.confined", tmp_path, when],
        capture_output=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
    )
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def test_what_is_given_up(tmp_path: Path) -> None:
    """Of all that is tried, only what serving needs can be done, in each thread from then on."""
    told = _confined(tmp_path, "early")
    assert told["states"] == [[ON] * 3] * 2
    assert told["rights"] == [["1", "2"]] * 2
    for thread in ("main", "thread"):
        assert {name for name, can in told[thread].items() if can} == NEEDED, thread
        assert told[thread].keys() == NEEDED | FILES | CALLS


def test_what_is_given_up_after_drivers_are_loaded(tmp_path: Path) -> None:
    """Files stay open to all; the rest is refused to threads that ran before, too."""
    told = _confined(tmp_path, "late")
    (before, after) = told["states"]
    assert "GPU drivers" in before[1]
    assert "--device none" in after[0]
    assert after[1:] == [ON] * 2
    assert told["rights"] == [["1", "2"]] * 2
    # The thread comes later and finds things removed, so only the other one tells what can be done.
    assert {name for name, can in told["main"].items() if can} == NEEDED | FILES
    assert not {name for name, can in told["thread"].items() if can} & CALLS


def test_off_gives_up_nothing() -> None:
    """Nothing is asked of the kernel, and each part says why it is off."""
    assert enter("off", Reach(), uses_gpus=False) == Sandbox()
    assert Sandbox().missing().keys() == {"files", "network", "programs"}


def test_an_unknown_mode() -> None:
    """The choices are told."""
    with pytest.raises(UsageError, match=r"'maybe'\. It is auto, on, off"):
        enter("maybe", Reach(), uses_gpus=False)


def test_on_is_all_or_nothing() -> None:
    """With GPUs no files can be given up, so a start that asks for all of it fails."""
    with pytest.raises(UnsupportedError, match=r"files off: GPU drivers .* With --sandbox auto"):
        enter("on", Reach(), uses_gpus=True)


def test_where_people_name_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those are left alone, which is no reason to refuse a start; a kernel without the rest is."""
    monkeypatch.setattr(seccomp, "restrict", lambda **_: None)
    assert enter("on", None, uses_gpus=False).missing() == {
        "files": "off: what is typed may name any"
    }

    def no_seccomp(**_: bool) -> None:
        raise seccomp.SeccompError("this kernel has no seccomp")

    monkeypatch.setattr(seccomp, "restrict", no_seccomp)
    with pytest.raises(UnsupportedError, match="network off: this kernel has no seccomp"):
        enter("on", None, uses_gpus=False)


def test_a_kernel_that_has_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` starts all the same and says what is missing."""

    def no_landlock(*_: object) -> int:
        raise landlock.LandlockError("this kernel has no Landlock")

    def no_seccomp(**_: bool) -> None:
        raise seccomp.SeccompError("this kernel has no seccomp")

    monkeypatch.setattr(landlock, "restrict_thread", no_landlock)
    monkeypatch.setattr(seccomp, "restrict", no_seccomp)
    assert enter("auto", Reach(), uses_gpus=False).missing() == {
        "files": "off: this kernel has no Landlock",
        "network": "off: this kernel has no seccomp",
        "programs": "off: this kernel has no seccomp",
    }
    monkeypatch.setattr(landlock, "restrict_thread", lambda _: 4)
    assert enter("auto", Reach(), uses_gpus=False).network == "TCP only"
