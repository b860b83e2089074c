"""The solofile that is rebased: what is in it, and where each part lies."""

from dataclasses import dataclass
from pathlib import Path

from builder.digests import believe
from builder.file_range import FileRange
from builder.files import sha256_of
from builder.kit.kit import KitInfo
from builder.pack import SBOM_NAME
from builder.sbom import kit_components
from builder.sources.solofile import Solofile
from builder.sources.source import FetchedModel
from runtime.container import MANIFEST_NAME, RUNTIME_NAME, SIGNATURE_NAME, Checksums, Container
from runtime.errors import DamagedFileError
from runtime.layout import layout_faults
from runtime.manifest import Manifest, read_manifest
from runtime.zip_records import COPY_AGAIN

# What is believed to be as the manifest says: reading it takes as long as `verify` does.
_BELIEVED_ROLES = {"weights", "draft", "projector", "adapter", "prompt"}


@dataclass(frozen=True, slots=True)
class Base:
    """A solofile that is there.

    Args:
        path: The file.
        manifest: What it says of itself.
        fetched: What it carries besides its runtime.
        launcher: The program it begins with.
        runtime: Where its `runtime.pkg` lies.
        prompts: Where its computed prompts lie.
        kit: What its launcher and runtime are, as far as it tells.
        is_signed: Whether there is a signature inside.
    """

    path: Path
    manifest: Manifest
    fetched: FetchedModel
    launcher: bytes
    runtime: FileRange
    prompts: list[FileRange]
    kit: KitInfo
    is_signed: bool


def read_base(path: Path) -> Base:
    """Return a solofile's parts, once all but its models and prompts were found to be sound.

    Raises:
        DamagedFileError: It is no solofile, or damaged.
        UnsupportedError: Its format is newer than this version reads.
    """
    with Container.open(path) as container:
        manifest = read_manifest(container)
        names = [MANIFEST_NAME, SIGNATURE_NAME, *(facts.name for facts in manifest.entries)]
        wrong = layout_faults(container, manifest.launcher.size, names)
        places = {}
        for facts in manifest.entries:
            entry = container.entry(facts.name)
            places[facts.name] = FileRange(path, entry.offset, entry.size, facts.name)
            if facts.role in _BELIEVED_ROLES and entry.size == facts.size:
                believe(places[facts.name], Checksums(facts.sha256, entry.crc32))
            elif sha256_of(places[facts.name]) != facts.sha256:
                wrong.append(facts.name)
        if sha256_of(FileRange(path, 0, manifest.launcher.size)) != manifest.launcher.sha256:
            wrong.insert(0, "launcher")
        if wrong:
            raise DamagedFileError(f"{path} is damaged in {', '.join(wrong)}.", hint=COPY_AGAIN)
        launcher = b"".join(container.range(0, manifest.launcher.size))
        sbom = container.read(SBOM_NAME)
        is_signed = SIGNATURE_NAME in container.entries
    return Base(
        path=path,
        manifest=manifest,
        fetched=Solofile(path).fetch(),
        launcher=launcher,
        runtime=places[RUNTIME_NAME],
        prompts=[places[facts.name] for facts in manifest.prompts],
        kit=_kit_info(manifest, sbom),
        is_signed=is_signed,
    )


def _kit_info(manifest: Manifest, sbom: bytes) -> KitInfo:
    kit, launcher = manifest.kit, manifest.launcher
    runtime = next(facts for facts in manifest.entries if facts.role == "runtime")
    return KitInfo(
        target=kit.target,
        solofile=kit.solofile,
        python=kit.python,
        llama_cpp_python=kit.llama_cpp_python,
        llama_cpp=kit.llama_cpp,
        llama_cpp_commit=kit.llama_cpp_commit,
        glibc=kit.glibc,
        gpu=kit.gpu,
        launcher_size=launcher.size,
        launcher_sha256=launcher.sha256,
        runtime_size=runtime.size,
        runtime_sha256=runtime.sha256,
        components=kit_components(sbom),
    )
