"""Tests of what is kept on disk and when it is used, with a runner that needs no model."""

import logging
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from runtime.engine.baked_prompt import BakedPrompt
from runtime.engine.pins import Pins, PinSource
from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.prompt_cache import PromptCache, PromptCacheOptions
from runtime.engine.prompt_file import PromptFile
from runtime.engine.types import BatchSlice
from tests.runtime.engine.fake_runner import FakeRunner

SYSTEM = list(range(100, 200))
PLENTY = 1_000_000


class _Process:
    """What one process has: a runner, its prefix cache, and the folder."""

    def __init__(
        self,
        folder: Path | None,
        *,
        n_ctx: int = 2000,
        can_cut_memory: bool = True,
        limit_bytes: int = PLENTY,
        weights_digest: str = "one",
        baked: tuple[BakedPrompt, ...] = (),
    ) -> None:
        self.runner = FakeRunner(n_ctx=n_ctx, n_batch=2000, can_cut_memory=can_cut_memory)
        self.pins = Pins()
        self.cache = PrefixCache(self.runner, self.pins)
        options = PromptCacheOptions(folder, limit_bytes, weights_digest, baked)
        self.prompts = PromptCache(options, self.runner, self.cache)
        self.prompts.open()

    def answer(self, prompt: list[int], *, is_running: bool = False) -> int:
        """Compute a prompt as the engine does, and return how much of it was found."""
        self.prompts.restore(prompt)
        lease = self.cache.acquire(prompt)
        assert lease is not None
        found = lease.num_cached_tokens
        assert self.runner.tokens(lease.seq_id) == prompt[:found]
        self.runner.decode([BatchSlice(lease.seq_id, found, prompt[found:], True)])
        self.cache.extend(lease.seq_id, prompt[found:])
        if not is_running:
            self.cache.release(lease.seq_id)
        assert self.cache.num_cells == self.runner.num_cells_used
        return found


@pytest.fixture(autouse=True)
def errors_are_seen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _save_all(process: _Process) -> None:
    """Save as the engine does while it is idle."""
    while process.prompts.save_next():
        time.sleep(0.001)


def _restarted(folder: Path) -> _Process:
    """Answer one prompt in a process that ends, and return the next process."""
    first = _Process(folder)
    assert first.answer([*SYSTEM, 1, 2]) == 0
    first.prompts.close()
    return _Process(folder)


def test_the_next_process_finds_the_prompt(tmp_path: Path) -> None:
    """A prompt that begins like a saved one reuses what they share, and no cell is lost."""
    second = _restarted(tmp_path)
    assert second.answer([*SYSTEM, 3, 4, 5]) == len(SYSTEM)
    assert second.answer([*SYSTEM, 3, 4, 6]) == len(SYSTEM) + 2


def test_what_gains_too_little_is_not_loaded(tmp_path: Path) -> None:
    """A file is left alone where memory has nearly as much, or it has little to give."""
    second = _restarted(tmp_path)
    assert second.answer([*SYSTEM[:20], 1]) == 0
    assert second.answer([*SYSTEM[:80], 1]) == 80
    assert second.answer([*SYSTEM, 1]) == 80


def test_short_prompts_are_not_saved(tmp_path: Path) -> None:
    """What is computed in a moment takes no place on disk."""
    process = _Process(tmp_path)
    process.answer(SYSTEM[:60])
    process.prompts.close()
    assert _files(tmp_path) == []


def test_a_growing_chat_replaces_its_file(tmp_path: Path) -> None:
    """A chat is written again only when it has grown well, and then its old file goes."""
    process = _Process(tmp_path)
    chat = list(SYSTEM)
    written = []
    for _ in range(5):
        process.answer(chat)
        _save_all(process)
        written.append([path.stat().st_ino for path in _files(tmp_path)])
        chat += range(30)
    assert [len(files) for files in written] == [1] * 5
    assert len({files[0] for files in written}) == 2


def test_a_shared_prefix_with_short_ends_is_saved_once(tmp_path: Path) -> None:
    """Many short questions behind one system prompt make one file."""
    process = _Process(tmp_path)
    for number in range(5):
        process.answer([*SYSTEM, number, 7])
    process.prompts.close()
    assert len(_files(tmp_path)) == 1


@pytest.mark.parametrize(
    "change", [{"weights_digest": "other"}, {"can_cut_memory": False}], ids=["model", "context"]
)
def test_the_files_of_another_model_are_left_alone(
    tmp_path: Path, change: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither used nor deleted, nor worth a warning: two models may have one folder."""
    _restarted(tmp_path)
    other = _Process(tmp_path, **change)  # type: ignore[arg-type] # one of the two
    assert other.answer([*SYSTEM, 3]) == 0
    other.prompts.close()
    assert len(_files(tmp_path)) == 2
    assert _Process(tmp_path).answer([*SYSTEM, 3]) == len(SYSTEM)
    assert not caplog.records


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("position", [5, 50, 100, -5])
def test_a_damaged_file_is_skipped(
    tmp_path: Path, position: int, is_known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says so and the prompt is computed, whether it breaks before or after the start."""
    process = _restarted(tmp_path)
    path = _files(tmp_path)[0]
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    if not is_known:
        process = _Process(tmp_path)
    # What a process read at its start it does not read again; only the state is.
    header_was_read = is_known and position in (5, 50, 100)
    found = process.answer([*SYSTEM, 3])
    assert found == (len(SYSTEM) if header_was_read else 0)
    assert len(caplog.records) == (0 if header_was_read else 1)
    process.prompts.close()
    if not header_was_read:
        assert _Process(tmp_path).answer([*SYSTEM, 4]) == len(SYSTEM)


def test_a_file_that_is_gone_is_skipped(tmp_path: Path) -> None:
    """Another process may delete a file at any time."""
    second = _restarted(tmp_path)
    _files(tmp_path)[0].unlink()
    assert second.answer([*SYSTEM, 3]) == 0
    second.prompts.close()
    assert len(_files(tmp_path)) == 1


def test_the_least_recently_used_files_go(tmp_path: Path) -> None:
    """The folder stays within its limit, and what was used lately stays."""
    for number in range(4):
        process = _Process(tmp_path)
        process.answer([number, *SYSTEM])
        process.prompts.close()
        for path in _files(tmp_path):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    assert _Process(tmp_path).answer([0, *SYSTEM, 1]) == 101
    size = max(path.stat().st_size for path in _files(tmp_path))
    process = _Process(tmp_path, limit_bytes=3 * size)
    process.answer([9, *SYSTEM])
    process.prompts.close()
    found = [_Process(tmp_path).answer([number, *SYSTEM, 1]) for number in (0, 1, 2, 3, 9)]
    assert found == [101, 0, 0, 101, 101]


def test_a_state_beyond_the_limit_is_not_written(tmp_path: Path) -> None:
    """One that is larger than all may be together would only push out the rest."""
    process = _Process(tmp_path, limit_bytes=100)
    process.answer(SYSTEM)
    process.prompts.close()
    assert _files(tmp_path) == []


def test_running_requests_keep_their_cells(tmp_path: Path) -> None:
    """A saved prompt that finds no room beside the running ones is not loaded."""
    _restarted(tmp_path)
    process = _Process(tmp_path, n_ctx=150)
    process.answer([1] * 100, is_running=True)
    process.prompts.restore([*SYSTEM, 3])
    assert process.cache.match_length([*SYSTEM, 3]) == 0
    assert process.runner.num_cells_used == 100


def test_finished_ones_make_room(tmp_path: Path) -> None:
    """Cells of finished sequences are given up for a saved prompt, as for any other."""
    _restarted(tmp_path)
    process = _Process(tmp_path, n_ctx=150)
    process.answer([1] * 100)
    assert process.answer([*SYSTEM, 3]) == len(SYSTEM)


def test_memory_that_cannot_be_cut_is_restored_whole_or_not_at_all(tmp_path: Path) -> None:
    """A recurrent state serves the prompts that continue it."""
    first = _Process(tmp_path, can_cut_memory=False)
    first.answer(SYSTEM)
    first.prompts.close()
    second = _Process(tmp_path, can_cut_memory=False)
    assert second.answer([*SYSTEM[:90], 1]) == 0
    assert second.answer([*SYSTEM, 1]) == len(SYSTEM)


def test_a_folder_that_cannot_be_written_costs_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The answers come all the same."""
    folder = tmp_path / "cache"
    process = _Process(folder)
    folder.write_bytes(b"")
    for number in range(3):
        process.answer([number, *SYSTEM])
    process.prompts.close()
    assert len(caplog.records) == 1


def _write_many(folder: Path, first: int) -> None:
    for number in range(first, first + 20):
        process = _Process(folder, limit_bytes=5000)
        process.answer([number % 15, *SYSTEM])
        process.prompts.close()


def test_two_processes_share_a_folder(tmp_path: Path) -> None:
    """While both write, read and delete, no process fails and no file is broken."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_many, args=(tmp_path, first)) for first in (0, 5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert all(path.suffix == ".prompt" for path in _files(tmp_path))
    last = _Process(tmp_path)
    found = [last.answer([number, *SYSTEM, 1]) for number in range(15)]
    assert found.count(101) == len(_files(tmp_path)) > 0


def _baked(tmp_path: Path, *, can_cut_memory: bool = True) -> BakedPrompt:
    """Return a prompt that lies inside another file."""
    saved = tmp_path / "saved"
    first = _Process(saved, can_cut_memory=can_cut_memory)
    first.answer([*SYSTEM, 1])
    first.prompts.close()
    data = _files(saved)[0].read_bytes()
    solofile = tmp_path / "solofile"
    solofile.write_bytes(b"launcher" * 1000 + data + b"runtime")
    os.utime(solofile, (1, 1))
    return BakedPrompt(solofile, 8000, len(data))


def test_a_baked_prompt_is_found_and_nothing_is_written(tmp_path: Path) -> None:
    """It serves every request that begins like it, also after its cells were given up."""
    baked = _baked(tmp_path)
    before = baked.path.read_bytes()
    process = _Process(None, n_ctx=150, baked=(baked,))
    assert process.runner.num_loaded == 1
    assert process.answer([*SYSTEM, 5, 6]) == len(SYSTEM)
    assert process.answer([*SYSTEM, 7, 8]) == len(SYSTEM)
    while process.cache.evict(10, pinned=True):
        pass
    assert process.answer([*SYSTEM, 9]) == len(SYSTEM)
    assert process.runner.num_loaded == 2
    assert not process.prompts.save_next()
    process.prompts.close()
    assert baked.path.read_bytes() == before
    assert baked.path.stat().st_mtime == 1
    assert sorted(tmp_path.iterdir()) == [tmp_path / "saved", baked.path]


@pytest.mark.parametrize("can_cut_memory", [True, False])
def test_a_baked_prompt_is_read_once(tmp_path: Path, can_cut_memory: bool) -> None:
    """Other prompts crowd each other out of memory, and not this one."""
    baked = _baked(tmp_path, can_cut_memory=can_cut_memory)
    system = PromptFile.open(baked.path, baked.offset, baked.size).tokens
    process = _Process(None, n_ctx=250, can_cut_memory=can_cut_memory, baked=(baked,))
    for number in range(20):
        assert process.answer([*system, 1000 + number]) == len(system)
        while process.runner.n_ctx - process.cache.num_cells < 120:
            assert process.cache.evict(120)
        assert process.answer([*range(300 + number, 400 + number), 1]) < len(system)
    assert process.runner.num_loaded == 1
    assert [pin.source for pin in process.pins.current().values()] == [PinSource.BAKED]


def test_a_chat_behind_a_baked_prompt_is_saved(tmp_path: Path) -> None:
    """With a folder, too, the solofile itself is neither replaced nor deleted."""
    baked, folder = _baked(tmp_path), tmp_path / "folder"
    process = _Process(folder, baked=(baked,))
    process.answer([*SYSTEM, 5, 6])
    _save_all(process)
    assert not folder.exists()
    chat = [*SYSTEM, *range(80)]
    process.answer(chat)
    process.prompts.close()
    assert len(_files(folder)) == 1
    assert baked.path.exists()
    assert _Process(folder, baked=(baked,)).answer([*chat, 1]) == len(chat)


@pytest.mark.parametrize("change", ["weights", "bytes", "end"])
def test_a_baked_prompt_that_does_not_fit_is_computed(
    tmp_path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says so."""
    baked = _baked(tmp_path)
    if change == "bytes":
        data = bytearray(baked.path.read_bytes())
        data[baked.offset + 60] ^= 1
        baked.path.write_bytes(data)
    if change == "end":
        baked = BakedPrompt(baked.path, baked.offset, baked.size - 1)
    digest = "other" if change == "weights" else "one"
    process = _Process(None, weights_digest=digest, baked=(baked,))
    assert process.answer([*SYSTEM, 5]) == 0
    assert len(caplog.records) == 1
    assert "baked prompt" in caplog.text
