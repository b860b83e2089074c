"""A llamafile: an executable that is a zip with stored GGUFs, used where they lie in it."""

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from builder.errors import SourceError
from builder.file_range import FileRange
from builder.sources.llamafile_arguments import LlamafileArguments, parse_arguments
from builder.sources.source import Carried, FetchedModel, ModelFile, ResolvedSource
from runtime.manifest import Origin

ARGUMENTS_NAME = ".args"
_MAX_ARGUMENTS_BYTES = 1 << 20
# APPNOTE 4.3.7: the local header up to the lengths of name and extra field.
_LOCAL = struct.Struct("<4s22x2H")
_LOCAL_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Llamafile:
    """A llamafile, or any other zip with a GGUF in it.

    Args:
        path: The file.
        wanted: Which of its GGUFs is the model; empty for the one that it starts by itself.
    """

    path: Path
    wanted: str = ""

    def resolve(self) -> ResolvedSource:
        """Find the model in it.

        Raises:
            SourceError: It holds none, more than one to choose from, or compressed ones.
        """
        with self._open() as archive:
            weights = self._weights(archive, _arguments(archive))
        return ResolvedSource(label=str(weights.data), file_name=weights.name)

    def fetch(self) -> FetchedModel:
        """Return the model and what goes with it where they lie, and its arguments as settings.

        Raises:
            SourceError: It holds none, more than one to choose from, or compressed ones.
        """
        with self._open() as archive:
            arguments = _arguments(archive)
            weights = self._weights(archive, arguments)
            adapters, drafts, projectors = (
                [self._file(archive, name) for name in arguments.files.get(kind, [])]
                for kind in ("adapter", "draft", "projector")
            )
        return FetchedModel(
            files=[weights],
            origin=Origin(kind="llamafile", repository=self.path.name, files=[]),
            adapters=adapters,
            draft=drafts[-1] if drafts else None,
            projector=Carried(projectors[-1]) if projectors else None,
            settings=arguments.taken.settings,
            notes=arguments.taken.notes,
        )

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, OSError) as error:
            raise SourceError(f"{self.path} cannot be read as a zip: {error}.") from error

    def _weights(self, archive: zipfile.ZipFile, arguments: LlamafileArguments) -> ModelFile:
        named = [self.wanted] if self.wanted else arguments.files.get("model", [])[-1:]
        companions = {
            name for kind, names in arguments.files.items() for name in names if kind != "model"
        }
        models = [
            name
            for name in _ggufs(archive)
            if PurePosixPath(name).name not in companions and "mmproj" not in name.lower()
        ]
        names = named or models
        if len(names) == 1:
            return self._file(archive, names[0])
        if not names:
            raise SourceError(
                f"{self.path} is an archive without a GGUF file.",
                hint="Name a llamafile that carries its weights.",
            )
        raise SourceError(
            f"{self.path} holds more than one model: {', '.join(names)}.",
            hint=f"Name one, as in {self.path}:{names[0]}.",
        )

    def _file(self, archive: zipfile.ZipFile, name: str) -> ModelFile:
        found = [member for member in _ggufs(archive) if PurePosixPath(member).name == name]
        member = name if name in archive.namelist() else next(iter(found), "")
        if not member:
            inside = ", ".join(_ggufs(archive)) or "no GGUF at all"
            raise SourceError(
                f"{self.path} holds no {name}.",
                hint=f"Inside are {inside}; name one behind a colon.",
            )
        info = archive.getinfo(member)
        if info.compress_type != zipfile.ZIP_STORED:
            raise SourceError(
                f"{member} inside {self.path} is compressed.",
                hint=f"Take it out with `unzip {self.path} {member}` and name that file.",
            )
        data = FileRange(self.path, self._offset(info), info.file_size, member)
        return ModelFile(self.path, PurePosixPath(member).name, inside=data)

    def _offset(self, info: zipfile.ZipInfo) -> int:
        """Return where a stored member's bytes begin."""
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            header = file.read(_LOCAL.size)
        magic, name_length, extra_length = _LOCAL.unpack(header.ljust(_LOCAL.size, b"\0"))
        start: int = info.header_offset + _LOCAL.size + name_length + extra_length
        if magic != _LOCAL_MAGIC or start + info.file_size > self.path.stat().st_size:
            raise SourceError(
                f"{info.filename} inside {self.path} is damaged.",
                hint="Copy or download the file again.",
            )
        return start


def _ggufs(archive: zipfile.ZipFile) -> list[str]:
    return sorted(name for name in archive.namelist() if name.lower().endswith(".gguf"))


def _arguments(archive: zipfile.ZipFile) -> LlamafileArguments:
    if ARGUMENTS_NAME not in archive.namelist():
        return LlamafileArguments()
    info = archive.getinfo(ARGUMENTS_NAME)
    if info.file_size > _MAX_ARGUMENTS_BYTES:
        raise SourceError(f"{ARGUMENTS_NAME} inside {archive.filename} is too large to be one.")
    try:
        data = archive.read(info)
    except zipfile.BadZipFile as error:
        raise SourceError(
            f"{ARGUMENTS_NAME} inside {archive.filename} is damaged.",
            hint="Copy or download the file again.",
        ) from error
    return parse_arguments(data.decode("utf-8", errors="replace"))
