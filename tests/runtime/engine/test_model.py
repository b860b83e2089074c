"""Tests of how weights come into memory: mapped, read, locked, from any place in a file."""

import logging
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.weights import LoadOptions, Weights

OFFSET = 3 * 65536


@pytest.fixture(scope="session")
def llama(binding: None) -> Llama:
    """The loaded libraries."""
    return Llama.load()


@pytest.fixture(scope="session")
def inside(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """The weights inside a larger file, as in a solofile."""
    path = tmp_path_factory.mktemp("inside") / "container"
    data = gguf.read_bytes()
    path.write_bytes(bytes(OFFSET) + data + bytes(1000))
    return Weights(path, OFFSET, len(data))


def _memory_kb(field: str) -> int:
    """Return a figure of this process's memory in kB."""
    for file in ("/proc/self/smaps_rollup", "/proc/self/status"):
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1])
    raise AssertionError(f"there is no {field}")


def _growth_kb(field: str, act: Callable[[], Model]) -> int:
    before = _memory_kb(field)
    model = act()
    growth = _memory_kb(field) - before
    model.close()
    return growth


@pytest.mark.parametrize("mlock", [False, True])
def test_weights_are_read_where_they_are_not_mapped(
    llama: Llama, inside: Weights, mlock: bool
) -> None:
    """Without mapping they are memory of our own, from inside a file as well; mapped they are not.

    Where locking is asked for and not allowed, that changes nothing of it.
    """
    read = _growth_kb(
        "Anonymous", lambda: Model.load(llama, inside, LoadOptions(mmap=False, mlock=mlock))
    )
    mapped = _growth_kb("Anonymous", lambda: Model.load(llama, inside, LoadOptions()))
    assert read - mapped > 0.9 * inside.size / 1024


def test_a_forbidden_lock_is_a_warning(
    llama: Llama, inside: Weights, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the system forbids to lock so much, the log says so and the model is there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, hard))
    try:
        with caplog.at_level(logging.WARNING):
            model = Model.load(llama, inside, LoadOptions(mlock=True))
    finally:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))
    assert model.n_vocab > 0
    was_locked = _memory_kb("VmLck") > inside.size / 2048
    model.close()
    if was_locked:
        pytest.skip("this user may lock whatever it likes")
    assert "The weights could not be locked into memory (" in caplog.text
    assert "ulimit -l" in caplog.text


def test_locked_weights_are_locked(llama: Llama, inside: Weights) -> None:
    """Where the system allows it, the mapped weights are locked, and unlocked at the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
    try:
        locked = _growth_kb("VmLck", lambda: Model.load(llama, inside, LoadOptions(mlock=True)))
    finally:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))
    if locked == 0 and 0 <= hard < inside.size + OFFSET:
        pytest.skip("the system lets this user lock too little")
    assert locked > 0.9 * inside.size / 1024
