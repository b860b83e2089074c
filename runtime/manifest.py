"""The manifest as typed data: what a solofile holds, from where, and with which defaults."""

from pathlib import Path
from typing import Any

import msgspec

from runtime import __version__
from runtime.branding import Branding
from runtime.container import MANIFEST_NAME, Container
from runtime.errors import DamagedFileError, UnsupportedError
from runtime.parity import Parity
from runtime.zip_records import COPY_AGAIN

FORMAT_VERSION = "1.1"

SettingValue = str | int | float | bool


class EntryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: its role, size in bytes and SHA-256 in hex.

    The roles are `weights`, `draft`, `projector`, `adapter`, `prompt`, `licence`, `card`, `icon`,
    `sbom` and `runtime`.
    """

    name: str
    role: str
    size: int
    sha256: str


class LauncherFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The native program from byte 0 on: its size in bytes and SHA-256 in hex."""

    size: int
    sha256: str


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """A file beside the solofile that holds its weights.

    Args:
        name: The file's name when it was written.
        weights: Its one entry.
        crc32: The checksum that its directory has for that, by which a start knows it.
    """

    name: str
    weights: EntryFacts
    crc32: int


class KitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The frozen runtime: its target, the versions in it, and the lowest glibc it runs on.

    `gpu` are the GPU plugins in it.
    """

    target: str
    solofile: str
    python: str
    llama_cpp: str
    llama_cpp_commit: str
    llama_cpp_python: str
    glibc: str
    gpu: list[str] = []


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the weights' header, or the model's card, says of it; empty or 0 where neither does.

    `pooling` is that of a model made for embeddings or to rank, which does not chat. `license` is
    the short name of a known licence; `license_name` and `license_link` tell of any other.
    `base_model` are the models it was made from, as `OWNER/NAME` where they lie on the hub.
    """

    name: str
    architecture: str
    quantization: str
    n_params: int
    n_ctx_train: int
    license: str = ""
    license_name: str = ""
    license_link: str = ""
    base_model: list[str] = []
    chat_template_sha256: str = ""
    pooling: str = ""


class OriginFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it was fetched: its name, size in bytes and SHA-256 in hex."""

    name: str
    size: int
    sha256: str


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was done to make the weights, so that somebody can do it again.

    Its result is the next step's input; that of the last one, the weights.

    Args:
        kind: `convert`, `merge` or `quantize`.
        command: What does it again, word by word; files are named without their folders.
        type: What the tensors became, such as `f16` or `Q4_K_M`.
        tensor_types: The types some tensors were given, by regular expressions for their names.
        inputs: The files that went in.
        llama_cpp_commit: The llama.cpp that did it.
    """

    kind: str
    command: list[str]
    type: str = ""
    tensor_types: dict[str, str] = {}
    inputs: list[OriginFile] = []
    llama_cpp_commit: str = ""


class Prompt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What conversations begin with, computed while building.

    Args:
        system: The system message; empty for none.
        messages: What follows it, in OpenAI's form.
        tools: The tools that are offered, in OpenAI's form.
    """

    system: str = ""
    messages: list[dict[str, Any]] = []
    tools: list[dict[str, Any]] = []


class BakedFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the entries with computed prompts were made of, in their order.

    Args:
        has_system: Whether the first is that of the built-in system prompt.
        prompts: The others.
    """

    has_system: bool = False
    prompts: list[Prompt] = []


class Terms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a licence inside asks of those who pass the solofile on.

    Args:
        license: The licence, by its short name or, where it has none, its own.
        passing_on: `allowed`, `conditions`, `noncommercial`, `forbidden` or `unknown`.
        sentence: The same in words; empty where nothing needs to be said.
        of: The companion's file that is under it; empty for the model itself.
    """

    license: str
    passing_on: str
    sentence: str = ""
    of: str = ""


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the model came from.

    Args:
        kind: The source's kind: `file`, `hf`, `pypi`, `ollama`, `lmstudio`, `llamacpp` or
            `llamafile`.
        repository: The hub repository, the package, the other program's name for the model (with
            registry and namespace in Ollama's case), or the llamafile's; empty for a local file.
        revision: The commit, the version or the tag; empty for a local file.
        files: What was fetched.
        gated: Whom the hub gives it to: `auto` to all who accept its terms, `manual` to those whom
            its owners let in; empty to everybody.
        steps: What was done to it, in order.
    """

    kind: str
    repository: str = ""
    revision: str = ""
    files: list[OriginFile]
    gated: str = ""
    steps: list[Step] = []


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The entry `solofile.json`.

    `parity` is that of a converted model, where it was checked; `sidecar` tells of weights that lie
    beside the solofile; `baked`, what the computed prompts are.
    """

    format_version: str = FORMAT_VERSION
    name: str
    model: ModelFacts
    origin: Origin
    kit: KitFacts
    launcher: LauncherFacts
    entries: list[EntryFacts]
    defaults: dict[str, SettingValue] = {}
    branding: Branding = Branding()
    terms: list[Terms] = []
    parity: Parity | None = None
    sidecar: Sidecar | None = None
    baked: BakedFacts | None = None

    @property
    def weights(self) -> EntryFacts:
        """The entry the engine maps, of the solofile or of the file beside it.

        Raises:
            DamagedFileError: The manifest names none.
        """
        if self.sidecar:
            return self.sidecar.weights
        for entry in self.entries:
            if entry.role == "weights":
                return entry
        raise DamagedFileError("The manifest names no weights.", hint=COPY_AGAIN)

    @property
    def draft(self) -> EntryFacts | None:
        """The entry that is a draft model, if there is one."""
        return next((entry for entry in self.entries if entry.role == "draft"), None)

    @property
    def projector(self) -> EntryFacts | None:
        """The entry that is a projector, if there is one."""
        return next((entry for entry in self.entries if entry.role == "projector"), None)

    @property
    def icon(self) -> EntryFacts | None:
        """The entry that is the icon, if there is one."""
        return next((entry for entry in self.entries if entry.role == "icon"), None)

    @property
    def prompts(self) -> list[EntryFacts]:
        """The entries that are computed prompts."""
        return [entry for entry in self.entries if entry.role == "prompt"]

    @property
    def adapters(self) -> list[EntryFacts]:
        """The entries that are LoRA adapters."""
        return [entry for entry in self.entries if entry.role == "adapter"]


class _FormatVersion(msgspec.Struct):
    format_version: str


def require_known_format(data: bytes, what: str, known: str) -> None:
    """Check that what JSON in one of our formats tells can be understood.

    Args:
        data: The JSON.
        what: What is in that format.
        known: The format that this version writes; it reads all of the same major number and older.

    Raises:
        MsgspecError: It tells no format.
        UnsupportedError: Its format is newer than this version reads.
        ValueError: What it tells is no number.
    """
    version = msgspec.json.decode(data, type=_FormatVersion).format_version
    if int(version.partition(".")[0]) > int(known.partition(".")[0]):
        raise UnsupportedError(
            f"{what} is in format {version}, and solofile {__version__} reads up to {known}.",
            hint="Use a newer version of solofile.",
        )


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode(data: bytes, path: Path) -> Manifest:
    """Return the manifest that `data`, read from `path`, holds.

    Raises:
        UnsupportedError: Its format is newer than this version reads.
        DamagedFileError: It is no manifest.
    """
    try:
        require_known_format(data, str(path), FORMAT_VERSION)
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, ValueError) as error:
        raise DamagedFileError(
            f"The manifest of {path} makes no sense: {error}.", hint=COPY_AGAIN
        ) from error


def read_manifest(container: Container) -> Manifest:
    """Return the manifest of an open container.

    Raises:
        UnsupportedError: Its format is newer than this version reads.
        DamagedFileError: It is missing or damaged.
    """
    return decode(container.read(MANIFEST_NAME), container.path)
