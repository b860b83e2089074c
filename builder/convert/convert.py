"""Converting a checkpoint with llama.cpp's own converter; results are kept in the cache."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder import console
from builder.cache.items import made_once
from builder.child import ChildFailedError, Message, run_script
from builder.convert.convertible import Convertible
from builder.convert.environment import converter_python
from builder.errors import DiskError, ToolError
from builder.files import (
    atomic_path,
    require_space,
    sha256_of,
)
from builder.gguf.header import read_header
from builder.native.llamacpp import LLAMA_CPP_COMMIT, SDIST_SHA256, source_folder
from runtime.errors import AppError, DamagedFileError, ResourceError, UnsupportedError, UsageError
from runtime.manifest import OriginFile
from runtime.user_folders import user_cache_dir

_DRIVER = Path(__file__).with_name("driver.py")
_BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "auto": 2.0, "q8_0": 1.0625}
_DISK_IS_FULL = re.compile(
    r"No space left on device|requested and \d+ written|wrote \d+ bytes, exp"
)
_NO_ARCHITECTURE = re.compile(r"Model (\S+) is not supported|Failed to detect model architecture")


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted checkpoint in the cache.

    Args:
        path: The GGUF.
        inputs: The files it was made from.
    """

    path: Path
    inputs: list[OriginFile]


def converted(item: Convertible) -> Converted:
    """Return a checkpoint as a GGUF, made on first use.

    The cache knows it by its files' content, its name, the options and llama.cpp's version.

    Raises:
        AppError: What `convert` raises.
    """
    inputs = _digests(item)
    told = [SDIST_SHA256, item.script, item.name, item.outtype, *item.flags]
    told += [f"{file.sha256} {file.name}" for file in inputs]
    key = hashlib.sha256("\n".join(told).encode()).hexdigest()
    path = user_cache_dir() / "converted" / f"{key}.gguf"
    made_once(path, lambda _lock: convert(item, path))
    return Converted(path, inputs)


def _digests(item: Convertible) -> list[OriginFile]:
    sizes = {path: path.stat().st_size for path in item.files}
    with console.progress(f"Reading {item.name}", sum(sizes.values())) as advance:
        return [
            OriginFile(name=_name(path, item), size=size, sha256=sha256_of(path, advance))
            for path, size in sizes.items()
        ]


def _name(path: Path, item: Convertible) -> str:
    inside = path.is_relative_to(item.folder)
    return path.relative_to(item.folder).as_posix() if inside else f"base/{path.name}"


def command(item: Convertible, output: str) -> list[str]:
    """Return the command that does the same by hand, with folders and files by their names.

    Args:
        item: What is converted.
        output: The name of the GGUF.
    """
    flags = ["--outfile", output, "--outtype", item.outtype, *item.flags]
    return [item.script, item.name, *flags, *(["--base", "base"] if item.base_config else [])]


def convert(item: Convertible, output: Path) -> None:
    """Convert a checkpoint into a file, which takes its name once it is whole.

    Args:
        item: What to convert.
        output: The file to write; an old one is replaced.

    Raises:
        DiskError: There is not enough room, or the folder is not writable.
        ResourceError: There is not enough memory.
        SourceError: The converter's environment cannot be made.
        ToolError: The converter failed.
        UnsupportedError: llama.cpp does not know the architecture or the tokenizer.
    """
    if output.is_dir() or not output.parent.is_dir():
        raise UsageError(
            f"{output} cannot be written.", hint="Name a file in a folder that exists."
        )
    needed = int(item.num_elements * _BYTES[item.outtype])
    require_space(output.parent, needed, purpose="the converted model")
    python, source = converter_python(), source_folder() / "vendor" / "llama.cpp"
    with atomic_path(output) as part, _named(item) as (folder, base):
        # The converter fills in what stands in braces, and not in the folder's name.
        outfile = part.absolute().with_name(part.name.replace("{", "{{").replace("}", "}}"))
        arguments = [str(folder), "--outfile", str(outfile), "--outtype", item.outtype, *item.flags]
        if base:
            arguments += ["--base", str(base)]
        job = {"source": str(source), "script": item.script, "arguments": arguments}
        try:
            _watch(item, run_script(python, _DRIVER, job, what="", who="The converter"))
        except ChildFailedError as error:
            raise _explained(error.why, item, output) from error
        _require_whole(part, item)
        with part.open("rb") as file:
            os.fsync(file.fileno())


@contextmanager
def _named(item: Convertible) -> Iterator[tuple[Path, Path | None]]:
    """Give folders for the converter: it takes the model's name from that of its folder."""
    with tempfile.TemporaryDirectory(prefix="solofile-") as scratch:
        folder, base = Path(scratch) / item.name, None
        try:
            folder.symlink_to(item.folder.resolve(), target_is_directory=True)
        except OSError:  # Windows lets few people make links.
            folder = item.folder
        if item.base_config:
            # Alone, so that no weights beside it are read.
            base = Path(scratch) / ".base"
            base.mkdir()
            shutil.copy(item.base_config, base)
        yield folder, base


def _watch(item: Convertible, messages: Iterator[Message]) -> None:
    """Show how far the converter is: it reads all tensors' names first, then writes them."""
    with console.status(f"Starting llama.cpp's converter for {item.name}"):
        size = next((message.size_bytes for message in messages if message.size_bytes), 0)
    label = f"Converting to {item.outtype}" if item.outtype != "auto" else "Converting"
    with console.progress(label, size) as advance:
        for message in messages:
            advance(message.written_bytes)


def _explained(why: str, item: Convertible, output: Path) -> AppError:
    version = f"llama.cpp {LLAMA_CPP_COMMIT}"
    if found := _NO_ARCHITECTURE.search(why):
        known = found[1] or item.architecture or "that its configuration does not name"
        what = "projector" if "--mmproj" in item.flags else "architecture"
        return UnsupportedError(
            f"{item.folder} cannot be converted: {version} does not know the {what} {known}.",
            hint="Look for a GGUF of the model that its makers offer, or for a newer solofile.",
        )
    if "pre-tokenizer was not recognized" in why:
        return UnsupportedError(
            f"{item.folder} cannot be converted: {version} does not know its tokenizer.",
            hint="Check that the tokenizer's files are those of the model.",
        )
    if _DISK_IS_FULL.search(why):
        return DiskError(
            f"The disk with {output.parent} is full.", hint="Free some space and run this again."
        )
    if "MemoryError" in why or "can't allocate memory" in why:
        return ResourceError(f"There is not enough memory to convert {item.folder}.")
    return ToolError(f"Converting {item.folder} failed: {why.rstrip('.')}.")


def _require_whole(path: Path, item: Convertible) -> None:
    """Check what the converter wrote before anybody sees it.

    Raises:
        ToolError: It is no whole GGUF.
    """
    try:
        read_header(path)
    except DamagedFileError as error:
        raise ToolError(f"Converting {item.folder} gave no whole GGUF: {error.message}") from error
