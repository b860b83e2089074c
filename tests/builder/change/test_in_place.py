"""A file that is changed in place is the old or the new one, whatever happens."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from builder.change import in_place
from builder.change.in_place import changed_in_place, held, recover
from builder.change.journal import Journal, journal_path
from builder.change.plan import Piece, Plan
from builder.change.writing import write_all
from builder.errors import DiskError
from builder.file_range import FileRange
from runtime.container import LAUNCHER_ROOM, Checksums, Container
from runtime.errors import DamagedFileError, UsageError
from tests.killed import killed_at_line

WEIGHTS = random.Random(1).randbytes(3 << 20)


def planned(launcher: bytes, weights: FileRange, *texts: bytes | FileRange) -> Plan:
    """Return a container with weights and some entries behind them."""
    plan = Plan()
    plan.write_launcher(launcher)
    known = Checksums("", 7)
    facts = (weights.path, weights.offset, weights.size)
    plan.add_file("model.gguf", facts[0], offset=facts[1], size=facts[2], aligned=True, known=known)
    for number, text in enumerate(texts):
        if isinstance(text, bytes):
            plan.add_bytes(f"{number}.txt", text)
        else:
            plan.add_file(f"{number}.txt", text.path, offset=text.offset, size=text.size)
    plan.finish()
    return plan


def content(plan: Plan) -> bytes:
    """Return the bytes that a plan means, of which no source has changed yet."""
    parts = []
    for piece in plan.pieces:
        source = piece.source
        if isinstance(source, FileRange):
            source = source.path.read_bytes()[source.offset : source.offset + source.size]
        parts.append(source)
    return b"".join(parts)


def write_base(folder: Path) -> Path:
    """Write a small container with weights and three texts."""
    (folder / "model.gguf").write_bytes(WEIGHTS)
    weights = FileRange.of(folder / "model.gguf")
    path = folder / "chat"
    path.write_bytes(content(planned(b"launcher", weights, b"a" * 9000, b"b" * 5000, b"c" * 10)))
    return path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A small container."""
    return write_base(tmp_path)


def inside(path: Path, name: str) -> FileRange:
    """Return where an entry lies."""
    with Container.open(path) as container:
        entry = container.entry(name)
    return FileRange(path, entry.offset, entry.size, name)


def smaller(path: Path) -> Plan:
    """Return a plan in which the launcher is another, and the last text the only one."""
    return planned(b"another launcher", inside(path, "model.gguf"), inside(path, "2.txt"))


def larger(path: Path) -> Plan:
    """Return a plan in which a text becomes longer, and the others move behind it."""
    texts = (inside(path, "1.txt"), b"A" * 30_000, inside(path, "0.txt"), inside(path, "2.txt"))
    return planned(b"launcher", inside(path, "model.gguf"), *texts)


@pytest.mark.parametrize("change", [smaller, larger])
def test_becomes_what_was_planned(base: Path, change: Callable[[Path], Plan]) -> None:
    """What moves is read where it was; the weights are not written."""
    plan = change(base)
    expected = content(plan)
    written: list[int] = []
    with held(base), changed_in_place(base, plan.pieces, advance=written.append):
        assert base.read_bytes() == expected
        assert journal_path(base).is_file()
    assert base.read_bytes() == expected
    assert not journal_path(base).exists()
    assert sum(written) < 60_000


@pytest.mark.parametrize("change", [smaller, larger])
def test_a_block_that_fails(base: Path, change: Callable[[Path], Plan]) -> None:
    """What was changed becomes again what it was, and nothing is left beside it."""
    old = base.read_bytes()
    with pytest.raises(ValueError, match="no answer"), held(base):  # noqa: SIM117 - what fails last
        with changed_in_place(base, change(base).pieces):
            raise ValueError("no answer")
    assert base.read_bytes() == old
    assert sorted(path.name for path in base.parent.iterdir()) == ["chat", "model.gguf"]


def test_killed_at_any_line(base: Path) -> None:
    """Of a process that was killed at any of 50 lines the old file is left, or the new one."""
    weights = inside(base, "model.gguf")
    plans = [
        planned(b"launcher", weights, b"a" * 9000, b"b" * 5000),
        planned(b"another launcher", weights, b"A" * 30_000, b"b" * 5000),
    ]
    old, new = (content(plan) for plan in plans)

    def change() -> None:
        with held(base), changed_in_place(base, plans[1].pieces):
            pass

    base.write_bytes(old)
    num_lines = killed_at_line(change, None)
    assert base.read_bytes() == new
    num_interrupted = 0
    for number in random.Random(50).sample(range(num_lines), 50):
        base.write_bytes(old)
        killed_at_line(change, number)
        num_interrupted += journal_path(base).exists()
        recover(base)
        assert base.read_bytes() in (old, new)
    assert 0 < num_interrupted < 50


def test_killed_before_every_write(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each write, sync or removal in turn, the old file is found again, or the new one.

    A copy of all that lies in the folder is what a killed process leaves.
    """
    old, new = base.read_bytes(), content(larger(base))
    moments: list[tuple[bytes, bytes | None]] = []

    def snap() -> None:
        journal = journal_path(base)
        moments.append((base.read_bytes(), journal.read_bytes() if journal.exists() else None))

    def noted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            snap()
            result = function(*arguments)
            snap()
            return result

        return call

    monkeypatch.setattr(in_place, "write_all", noted(write_all))
    monkeypatch.setattr(os, "fsync", noted(os.fsync))
    monkeypatch.setattr(Journal, "remove", noted(Journal.remove))
    with held(base), changed_in_place(base, larger(base).pieces):
        snap()
    monkeypatch.undo()
    assert len(moments) > 20
    found = set()
    for file, journal in moments:
        base.write_bytes(file)
        if journal is None:
            assert file in (old, new)
            continue
        if file not in (old, new):
            with pytest.raises(DamagedFileError, match="cut short"):
                Container.open(base)
        journal_path(base).write_bytes(journal)
        recover(base)
        assert base.read_bytes() == old
        assert not journal_path(base).exists()
        found.add(file)
    assert len(found) > 5, "moments within the change were seen"


@pytest.mark.parametrize("change", [smaller, larger])
def test_a_power_cut(
    base: Path, change: Callable[[Path], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was written since the last sync any part may be lost, and the file is the old one.

    It is a container only where it is whole.
    """
    old, new = base.read_bytes(), content(change(base))
    epochs: list[list[tuple[int, bytes]]] = [[]]
    sync = os.fsync

    def write(file: IO[bytes], data: bytes) -> None:
        place = file.tell()
        for start in range(0, len(data), 512):  # A sector, which disks write whole.
            epochs[-1].append((place + start, data[start : start + 512]))
        write_all(file, data)

    def fsync(descriptor: int) -> None:
        if epochs[-1]:
            epochs.append([])
        sync(descriptor)

    monkeypatch.setattr(in_place, "write_all", write)
    monkeypatch.setattr(os, "fsync", fsync)
    with held(base), changed_in_place(base, change(base).pieces):
        journal = journal_path(base).read_bytes()
    monkeypatch.undo()
    assert [len(epoch) > 0 for epoch in epochs] == [True, True, True, False]
    chance = random.Random(7)
    state = bytearray(old.ljust(max(len(old), len(new)), b"\0"))
    for number, epoch in enumerate(epochs):
        for _ in range(10):
            left = bytearray(state)
            for place, data in chance.sample(epoch, chance.randint(0, len(epoch))):
                left[place : place + len(data)] = data
            sizes = {0: (len(old), len(left)), 3: (len(new),)}.get(number, (len(left), len(new)))
            base.write_bytes(left[: chance.choice(sizes)])
            if base.read_bytes() not in (old, new):
                with pytest.raises(DamagedFileError, match="cut short"):
                    Container.open(base)
            journal_path(base).write_bytes(journal)
            recover(base)
            assert base.read_bytes() == old
        for place, data in epoch:
            state[place : place + len(data)] = data
    assert state[: len(new)] == new


def test_restoring_is_interrupted(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends while the old bytes are written back is done again by the next command."""
    old = base.read_bytes()
    with held(base), changed_in_place(base, larger(base).pieces):
        journal = journal_path(base).read_bytes()
    journal_path(base).write_bytes(journal)

    def end(file: IO[bytes], data: bytes) -> None:
        write_all(file, data[: len(data) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr("builder.change.journal.write_all", end)
    with pytest.raises(KeyboardInterrupt):
        recover(base)
    assert base.read_bytes() != old
    monkeypatch.undo()
    recover(base)
    assert base.read_bytes() == old


def test_the_journal_of_another_file(base: Path) -> None:
    """A file that came in the place of the one that was changed is not overwritten."""
    with held(base), changed_in_place(base, larger(base).pieces):
        journal = journal_path(base).read_bytes()
    other = base.read_bytes()[:LAUNCHER_ROOM] + bytes(5 << 20)
    base.write_bytes(other)
    journal_path(base).write_bytes(journal)
    with pytest.raises(UsageError, match=r"chat\.journal belongs to another file than"):
        recover(base)
    assert base.read_bytes() == other


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root gives files away")
def test_the_journal_of_another_user(base: Path) -> None:
    """Whoever may write into the folder, and not into the file, does not get into it that way."""
    with held(base), changed_in_place(base, larger(base).pieces):
        journal = journal_path(base).read_bytes()
    new = base.read_bytes()
    journal_path(base).write_bytes(journal)
    os.chown(journal_path(base), 12345, 12345)
    with pytest.raises(UsageError, match=r"chat\.journal is another user's"):
        recover(base)
    assert base.read_bytes() == new


def test_a_damaged_journal(base: Path) -> None:
    """It is told, and nothing is written."""
    with held(base), changed_in_place(base, larger(base).pieces):
        journal = bytearray(journal_path(base).read_bytes())
    new = base.read_bytes()
    for damaged in (bytes(0), bytes(journal[:30]), bytes(journal[:-1]), flipped(journal)):
        journal_path(base).write_bytes(damaged)
        with pytest.raises(DamagedFileError, match="before, is damaged"):
            recover(base)
    assert base.read_bytes() == new


def flipped(data: bytearray) -> bytes:
    """Return data with a bit of its middle changed."""
    return bytes(data[:500]) + bytes([data[500] ^ 1]) + bytes(data[501:])


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    """Where there is no room for the journal, or for what is new, the old file stays whole."""
    base = write_base(tmp_path)
    with Container.open(base) as container:
        first = container.entry("model.gguf")
    path = small_disk / "chat"
    path.write_bytes(b"x" * 400_000 + base.read_bytes()[-200:])
    assert first.offset == LAUNCHER_ROOM
    old = path.read_bytes()
    for size in (900_000, 200_000):
        pieces = [Piece(0, b"y" * 300_000), Piece(300_000, b"z" * size)]
        (small_disk / "filler").write_bytes(b"f" * (1_000_000 - 400_200 - 250_000))
        with pytest.raises(DiskError, match=r"free, and what changes needs"), held(path):  # noqa: SIM117 - what fails last
            with changed_in_place(path, pieces):
                pass
    assert path.read_bytes() == old
    assert sorted(one.name for one in small_disk.iterdir()) == ["chat", "filler"]


def test_a_disk_that_becomes_full(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else takes the room meanwhile: the old file is written back."""
    path = small_disk / "chat"
    path.write_bytes(b"x" * 300_000)
    old = path.read_bytes()
    monkeypatch.setattr(in_place, "require_space", lambda *_, **__: None)
    for left in (0, 400_000):
        (small_disk / "filler").write_bytes(b"f" * (700_000 - left))
        pieces = [Piece(0, b"y" * 300_000), Piece(300_000, b"z" * 600_000)]
        with pytest.raises(DiskError, match=r"The disk with .* is full"), held(path):  # noqa: SIM117 - what fails last
            with changed_in_place(path, pieces):
                pass
        assert path.read_bytes() == old
        assert sorted(one.name for one in small_disk.iterdir()) == ["chat", "filler"]


def test_two_at_once(base: Path) -> None:
    """The second one waits until the first is done, and then finds its file."""
    seen: list[bytes] = []

    def second() -> None:
        with held(base):
            seen.append(base.read_bytes())

    with held(base), changed_in_place(base, larger(base).pieces):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        assert not seen
        new = base.read_bytes()
    thread.join(30)
    assert seen == [new]


def test_a_file_that_is_mapped(base: Path) -> None:
    """A solofile whose weights some process has mapped runs, and is not written to."""
    old = base.read_bytes()
    script = (
        "import mmap, sys\n"
        "with open(sys.argv[1], 'rb') as file:\n"
        "    held = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
        "print('mapped', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, base], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(UsageError, match="chat runs at this moment"), held(base):  # noqa: SIM117 - what fails last
            with changed_in_place(base, larger(base).pieces):
                pass
        process.communicate()
    assert base.read_bytes() == old
