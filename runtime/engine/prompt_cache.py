"""Computed prompts on disk, so that a restart does not compute them again.

What is kept in memory is the prefix cache's affair; this one writes copies of it, and brings them
back when a request begins like one.
"""

import contextlib
import hashlib
import logging
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from runtime.engine.baked_prompt import BakedPrompt
from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.prompt_file import SUFFIX, PromptFile
from runtime.engine.radix_tree import common_prefix_length
from runtime.engine.types import Runner
from runtime.errors import DamagedFileError

logger = logging.getLogger(__name__)

# What is shorter is computed in a moment.
MIN_SAVED_TOKENS = 64
MIN_RESTORED_TOKENS = 32
# What every start of a solofile saves counts sooner, and it is mapped.
MIN_BAKED_TOKENS = 12
# A state is loaded whole. That is some hundred times as fast as computing it, so a small part of
# one is worth it, but not the smallest.
MIN_RESTORED_SHARE = 1 / 16
# A growing conversation is written again when it has grown by this much, so that all its writes
# together stay within a few times its size.
MIN_GROWTH = 1 / 8
# A new file replaces one that it contains, unless that is much smaller and so faster to load.
MIN_REPLACED_SHARE = 1 / 2
_STALE_S = 3600
# Stands for a question that nobody has asked yet.
_NO_TOKEN = -1


class _Written(msgspec.Struct, frozen=True):
    """A new file, and those it made superfluous."""

    file: PromptFile
    replaced: list[PromptFile]


class PromptCacheOptions(msgspec.Struct, frozen=True):
    """Where prompts are kept on disk.

    Args:
        folder: Made when needed; several processes may use it, with different models. None saves
            nothing.
        limit_bytes: How much the files in it may take; the least recently used go.
        weights_digest: Names the weights.
        baked: Those inside the solofile.
    """

    folder: Path | None
    limit_bytes: int
    weights_digest: str
    baked: tuple[BakedPrompt, ...] = ()


def prompt_key(weights_digest: str, state_facts: str) -> bytes:
    """Return the key of what is computed with these weights in a context of these facts."""
    return hashlib.sha256(f"{weights_digest}\n{state_facts}".encode()).digest()


class PromptCache:
    """The files that fit this model and context; used by the engine's thread alone.

    Args:
        options: Where they are.
        runner: Copies states out of its memory.
        cache: What is in memory.
    """

    def __init__(self, options: PromptCacheOptions, runner: Runner, cache: PrefixCache) -> None:
        self._options = options
        self._runner = runner
        self._cache = cache
        self._key = prompt_key(options.weights_digest, runner.state_facts())
        self._files: list[PromptFile] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="prompt-cache")
        self._writing: Future[_Written | None] | None = None
        self._can_write = runner.can_save_states and options.folder is not None

    def open(self) -> None:
        """Read the headers of the files there are, and the first baked prompt whole.

        It is the built-in system prompt, with which most conversations begin. Until the first of
        them is read and tokenized, nothing else is to be done.
        """
        if not self._runner.can_save_states:
            logger.warning("Prompts of a model with a sliding window cannot be saved.")
            return
        for place in self._options.baked:
            self._open_baked(place)
        if self._files:
            self.restore([*self._files[0].tokens, _NO_TOKEN])
        if self._options.folder:
            self._open_saved(self._options.folder)

    def _open_baked(self, place: BakedPrompt) -> None:
        try:
            file = PromptFile.open(place.path, place.offset, place.size)
        except (OSError, DamagedFileError) as error:
            logger.warning("A baked prompt is skipped: %s", error)
            return
        if file.key == self._key:
            self._files.append(file)
        else:
            logger.warning(
                "A baked prompt of %d tokens is computed anew: it was made for another llama.cpp "
                "or other settings of the context.",
                len(file.tokens),
            )

    def _open_saved(self, folder: Path) -> None:
        num_others = num_fitting = 0
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            try:
                file = PromptFile.open(path)
            except (OSError, DamagedFileError) as error:
                logger.warning("A saved prompt is skipped: %s", error)
                continue
            if file.key == self._key:
                self._files.append(file)
                num_fitting += 1
            else:
                num_others += 1
        logger.info(
            "%d saved prompts, and %d of another model, version or setting.",
            num_fitting,
            num_others,
        )

    def restore(self, prompt: list[int]) -> None:
        """Bring the file into memory that has more of a prompt than is there, if it pays."""
        while (file := self._best(prompt)) is not None:
            try:
                state = file.state()
            except (OSError, DamagedFileError) as error:
                logger.warning("A saved prompt is skipped: %s", error)
                self._files.remove(file)
                continue
            length = self._usable_length(file.tokens, prompt[:-1])
            if self._cache.restore(file.tokens, state, length, is_baked=file.is_baked):
                _touch(file)
                return
            logger.warning("A saved prompt is skipped: llama.cpp does not take %s.", file.path)
            self._files.remove(file)

    def _best(self, prompt: list[int]) -> PromptFile | None:
        """Return the file that has most of a prompt, where loading it pays."""
        known = self._cache.match_length(prompt)
        best, best_length = None, known
        for file in self._files:
            length = self._usable_length(file.tokens, prompt[:-1])
            least = MIN_BAKED_TOKENS if file.is_baked else MIN_RESTORED_TOKENS
            least_gain = max(least, len(file.tokens) * MIN_RESTORED_SHARE)
            is_better = length > best_length and length - known >= least_gain
            if is_better and self._cache.can_restore(len(file.tokens)):
                best, best_length = file, length
        return best

    def save_next(self) -> bool:
        """Begin to write one more sequence that is worth it; says whether others may be left."""
        if self._writing is not None:
            if not self._writing.done():
                return True
            self._note_written(self._writing.result())
            self._writing = None
        for seq_id, tokens in self._cache.finished():
            if not self._can_write:
                break
            if not self._is_worth_saving(tokens):
                continue
            state = self._runner.save_state(seq_id, self._options.limit_bytes)
            if state is not None:
                replaced = [file for file in self._files if self._replaces(tokens, file)]
                self._writing = self._writer.submit(self._write, tokens, state, replaced)
                return True
        return False

    def close(self) -> None:
        """Write all that is worth it, and end."""
        while self.save_next():
            assert self._writing is not None, "begun"
            self._writing.exception()
        self._writer.shutdown()

    def _usable_length(self, saved: list[int], prompt: list[int]) -> int:
        """Return how much of a saved prompt serves another one."""
        length = common_prefix_length(saved, prompt)
        return length if self._runner.can_cut_memory or length == len(saved) else 0

    def _is_worth_saving(self, tokens: list[int]) -> bool:
        # What stands for an image is of no use without the image.
        if len(tokens) < MIN_SAVED_TOKENS or min(tokens) < 0:
            return False
        best, saved = None, 0
        for file in self._files:
            length = self._usable_length(file.tokens, tokens)
            if length > saved and file.path.exists():
                best, saved = file, length
        if len(tokens) - saved >= max(MIN_SAVED_TOKENS, len(tokens) * MIN_GROWTH):
            return True
        if best is not None:
            # Who is in use in memory is not the one to go from disk.
            _touch(best)
        return False

    def _write(
        self, tokens: list[int], state: memoryview, replaced: list[PromptFile]
    ) -> _Written | None:
        """Write a file, on a thread of its own; None where that failed."""
        folder = self._options.folder
        assert folder is not None, "where nothing is saved, nothing is written"
        digest = hashlib.sha256(repr(tokens).encode()).hexdigest()
        path = folder / f"{self._key.hex()[:16]}-{digest[:16]}{SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = PromptFile.write(path, self._key, tokens, state)
            for old in replaced:
                old.path.unlink(missing_ok=True)
            _sweep(folder, self._options.limit_bytes)
        except OSError as error:
            logger.warning("Prompts are no longer saved to %s: %s", folder, error)
            return None
        return _Written(file, replaced)

    def _note_written(self, written: _Written | None) -> None:
        if written is None:
            self._can_write = False
            return
        gone = {file.path for file in written.replaced} | {written.file.path}
        self._files = [file for file in self._files if file.path not in gone]
        self._files.append(written.file)

    def _replaces(self, tokens: list[int], file: PromptFile) -> bool:
        length = len(file.tokens)
        if file.is_baked or file.tokens == tokens:
            return False
        is_part = self._runner.can_cut_memory and file.tokens == tokens[:length]
        return is_part and length >= len(tokens) * MIN_REPLACED_SHARE


def _touch(file: PromptFile) -> None:
    """Note that a file was used."""
    if file.is_baked:
        return
    try:
        os.utime(file.path)
    except OSError:
        logger.debug("%s is gone.", file.path)


def _sweep(folder: Path, limit_bytes: int) -> None:
    """Delete the files used least recently until the rest is within the limit, and old scraps."""
    for scrap in _by_age(folder, f"*{SUFFIX}.*.tmp"):
        if time.time() - scrap.used_at > _STALE_S:
            scrap.path.unlink(missing_ok=True)
    files = _by_age(folder, f"*{SUFFIX}")
    total = sum(file.size_bytes for file in files)
    for file in files:
        if total <= limit_bytes:
            return
        file.path.unlink(missing_ok=True)
        total -= file.size_bytes


class _Aged(msgspec.Struct, frozen=True, order=True):
    used_at: float
    size_bytes: int
    path: Path


def _by_age(folder: Path, pattern: str) -> list[_Aged]:
    """Return files, the one used least recently first; others may delete some meanwhile."""
    aged = []
    for path in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            facts = path.stat()
            aged.append(_Aged(facts.st_mtime, facts.st_size, path))
    return sorted(aged)
