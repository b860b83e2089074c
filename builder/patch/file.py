"""A patch's file, opened: every byte of it is checked before any of it is used."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from builder import console
from builder.file_range import FileRange
from builder.files import require_space, sha256_of
from builder.patch.facts import FACTS_NAME, PREFIX, Data, PatchFacts, decode_facts
from builder.patch.packing import MAX_DICTIONARY_BYTES, unpack
from builder.patch.parts import Parts
from runtime.container import Container
from runtime.errors import DamagedFileError, UsageError
from runtime.layout import DIRECTORY, layout_faults
from runtime.zip_records import COPY_AGAIN


class PatchFile:
    """A patch that was found to be sound.

    Attributes:
        path: The file.
        facts: What it tells.
    """

    def __init__(self, path: Path, facts: PatchFacts, ranges: dict[str, FileRange]) -> None:
        self.path = path
        self.facts = facts
        self._ranges = ranges

    @classmethod
    def open(cls, path: Path) -> Self:
        """Check a patch.

        Raises:
            DamagedFileError: It is cut short or altered; the sentence names the part.
            UnsupportedError: Its format is newer than this version reads.
            UsageError: It is something else.
        """
        with _opened(path) as container:
            if FACTS_NAME not in container.entries:
                if any(name.startswith(PREFIX) for name in container.entries):
                    raise _damaged(path, [DIRECTORY])
                raise UsageError(f"{path} is no patch.", hint="Make one with `diff`.")
            facts = decode_facts(container.read(FACTS_NAME), path)
            names = [FACTS_NAME, *(data.name for data in facts.data)]
            wrong = layout_faults(container, 0, names)
            ranges = {
                entry.name: FileRange(path, entry.offset, entry.size, entry.name)
                for entry in container.entries.values()
            }
        size = sum(data.size for data in ranges.values())
        with console.progress(f"Checking {path.name}", size) as advance:
            wrong += [data.name for data in facts.data if not _is_sound(data, ranges, advance)]
        if wrong:
            raise _damaged(path, wrong)
        return cls(path, facts, ranges)

    def unpacked(self, folder: Path, base: Parts) -> dict[str, FileRange]:
        """Return where the new bytes lie, by the names of their entries.

        Args:
            folder: Takes those that are compressed in the patch.
            base: The solofile that it is for.

        Raises:
            DamagedFileError: The base's part that one was compressed with is another one.
            DiskError: There is not enough room.
        """
        size = sum(data.size for data in self.facts.data if data.is_packed)
        require_space(folder.parent, size, purpose="what is in the patch")
        found = {}
        for number, data in enumerate(self.facts.data):
            packed = self._ranges[data.name]
            if not data.is_packed:
                found[data.name] = packed
                continue
            path = folder / str(number)
            unpack(packed, data.size, path, _dictionary(data, base))
            found[data.name] = FileRange.of(path)
        return found


def _opened(path: Path) -> Container:
    try:
        return Container.open(path)
    except DamagedFileError as error:
        raise DamagedFileError(
            f"{path} is no patch, or it is cut short or damaged.", hint=COPY_AGAIN
        ) from error


def _damaged(path: Path, wrong: Sequence[str]) -> DamagedFileError:
    return DamagedFileError(f"{path} is damaged in {', '.join(wrong)}.", hint=COPY_AGAIN)


def _is_sound(data: Data, ranges: dict[str, FileRange], advance: Callable[[int], None]) -> bool:
    return data.name in ranges and sha256_of(ranges[data.name], advance) == data.sha256


def _dictionary(data: Data, base: Parts) -> FileRange | None:
    if not data.dictionary:
        return None
    part = base.part(data.dictionary)
    size = min(part.size, data.dictionary_size, MAX_DICTIONARY_BYTES)
    return FileRange(part.path, part.offset, size, part.name)
