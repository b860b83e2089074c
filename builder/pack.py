"""Writing a solofile: launcher, weights and other models, licences, manifest, runtime."""

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePath

import msgspec

from builder import console
from builder.contents import Contents
from builder.digests import add_file
from builder.entry_writer import EntryWriter
from builder.errors import ToolError
from builder.file_range import FileRange
from builder.files import require_space, synced_file
from builder.sidecar import SidecarFile
from builder.sign.sign import manifest_signature
from builder.sources.source import ModelFile
from builder.targets import Target
from runtime.container import MANIFEST_NAME, RUNTIME_NAME, SIGNATURE_NAME, ContainerWriter
from runtime.errors import DamagedFileError, UnsupportedError
from runtime.manifest import (
    EntryFacts,
    KitFacts,
    LauncherFacts,
    Manifest,
    Origin,
    OriginFile,
    Sidecar,
    encode,
)

CARD_NAME = "card/README.md"
SBOM_NAME = "sbom.cdx.json"


def is_too_large(contents: Contents, target: Target) -> bool:
    """Say whether the target starts no file with all of that in it."""
    return 0 < target.max_file_bytes < contents.max_size_bytes


def require_room(
    contents: Contents,
    target: Target,
    folder: Path,
    *,
    has_sidecar: bool = False,
    is_sidecar_written: bool = False,
) -> None:
    """Check that the solofile may become as large as it will, before anything is written.

    Args:
        contents: What goes into it.
        target: Where it is to run.
        folder: Where it is written.
        has_sidecar: Whether the weights lie beside it.
        is_sidecar_written: Whether they lie there by now.

    Raises:
        UnsupportedError: The target starts no file of that size.
        DiskError: The disk has not enough room.
    """
    size = contents.max_size_bytes
    executable = size - contents.weights_data.size if has_sidecar else size
    if 0 < target.max_file_bytes < executable:
        raise UnsupportedError(
            f"Even without its weights the solofile would have {console.human_bytes(executable)}, "
            f"and {target.name} starts no file over {console.human_bytes(target.max_file_bytes)}.",
            hint="Leave out what goes beside the model, or choose another target.",
        )
    require_space(folder, executable if is_sidecar_written else size, purpose="the solofile")


def write_solofile(
    contents: Contents, path: Path, beside: SidecarFile | Sidecar | None = None
) -> Manifest:
    """Write a whole solofile into `path`; the same contents give the same bytes.

    Args:
        contents: What goes into it.
        path: A file nobody else uses yet.
        beside: The file that takes the weights, or the facts of one that has them already; None
            writes them into the solofile.

    Returns:
        The manifest it got.

    Raises:
        DamagedFileError: The weights have not the digest they must have.
        ToolError: The kit's files are not those it was made with.
    """
    size = contents.weights_data.size + contents.kit.runtime_pkg.stat().st_size
    with synced_file(path) as file, console.progress("Packing", size) as advance:
        if isinstance(beside, SidecarFile):
            beside = _write_sidecar(contents, beside, advance)
        return write_entries(ContainerWriter(file), contents, beside, advance)


def _write_sidecar(
    contents: Contents, beside: SidecarFile, advance: Callable[[int], None]
) -> Sidecar:
    with synced_file(beside.path) as file:
        writer = ContainerWriter(file)
        weights = _add_weights(writer, contents, advance)
        writer.finish()
    return beside.facts(weights)


def _add_weights(
    writer: EntryWriter, contents: Contents, advance: Callable[[int], None]
) -> EntryFacts:
    data = contents.weights_data
    weights = EntryFacts(
        name=contents.weights_name,
        role="weights",
        size=data.size,
        sha256=add_file(writer, contents.weights_name, data, aligned=True, advance=advance),
    )
    if contents.weights_sha256 not in ("", weights.sha256):
        raise damaged(data)
    return weights


def write_entries(
    writer: EntryWriter,
    contents: Contents,
    sidecar: Sidecar | None,
    advance: Callable[[int], None] = lambda _: None,
) -> Manifest:
    """Hand all of a solofile to its writer, or to a plan of it.

    Args:
        writer: Takes it.
        contents: What goes into it.
        sidecar: The weights, where they lie in a file beside it.
        advance: Told the bytes of each chunk of weights and runtime.

    Returns:
        The manifest it got.

    Raises:
        DamagedFileError: The weights have not the digest they must have.
        ToolError: The kit's files are not those it was made with.
    """
    program = contents.launcher or _make_launcher(contents)
    launcher = LauncherFacts(size=len(program), sha256=writer.write_launcher(program))
    weights = [] if sidecar else [_add_weights(writer, contents, advance)]
    models = [_add_model(writer, contents.draft, "draft")] if contents.draft else []
    models += [_add_model(writer, contents.projector, "projector")] if contents.projector else []
    models += [_add_model(writer, adapter, "adapter") for adapter in contents.adapters]
    # Before all that changes with prompts and settings, so that it stays where it is.
    runtime = _add_runtime(writer, contents, advance)
    prompts = [_add_prompt(writer, path) for path in contents.prompts]
    texts = [
        _add_small(writer, f"LICENSES/{one.name}", "licence", one.text) for one in contents.licences
    ]
    texts += [_add_small(writer, CARD_NAME, "card", contents.card)] if contents.card else []
    icons = [_add_small(writer, icon.name, "icon", icon.data) for icon in [contents.icon] if icon]
    itself = sidecar.weights if sidecar else weights[0]
    origin = _origin(contents, itself)
    parts = [itself, *models, *prompts, runtime]
    sbom = _add_sbom(writer, contents, origin, launcher, parts)
    entries = [*weights, *models, runtime, *prompts, *texts, *icons, sbom]
    manifest = _manifest(contents, origin, launcher, entries, sidecar)
    writer.add_bytes(MANIFEST_NAME, encode(manifest))
    if contents.signer:
        signature = manifest_signature(contents.signer, encode(manifest))
        writer.add_bytes(SIGNATURE_NAME, signature)
    writer.finish()
    return manifest


def _make_launcher(contents: Contents) -> bytes:
    kit = contents.kit
    program = kit.launcher.read_bytes()
    _require_kit_file("launcher", hashlib.sha256(program).hexdigest(), kit.info.launcher_sha256)
    return _with_facts(program, contents) if kit.info.target.startswith("windows-") else program


def _with_facts(program: bytes, contents: Contents) -> bytes:
    """Give the program what Explorer shows of the solofile."""
    from builder.windows.executable import with_resources
    from builder.windows.facts import icon_resources, version_resource

    icon, model = contents.icon, contents.model
    icons = icon_resources(icon.data) if icon and icon.name.endswith(".png") else []
    if icon and not icons:
        console.info("The file gets no icon: Windows takes square PNGs of at most 256 pixels.")
    texts = {
        "FileDescription": contents.branding.title or contents.name,
        "FileVersion": contents.kit.info.solofile,
        "InternalName": "solofile",
        "LegalCopyright": model.license or model.license_name,
        "ProductName": contents.name,
        "ProductVersion": model.quantization,
    }
    version = version_resource(contents.kit.info.solofile, texts)
    return with_resources(program, [*icons, version])


def _add_model(writer: EntryWriter, model: ModelFile, role: str) -> EntryFacts:
    """Write an adapter or a projector, which are read, or a draft model, which is mapped."""
    folder = "adapters" if role == "adapter" else role
    name = f"{folder}/{PurePath(model.name).name}"
    facts = EntryFacts(
        name=name,
        role=role,
        size=model.data.size,
        sha256=add_file(writer, name, model.data, aligned=role == "draft"),
    )
    if model.sha256 not in ("", facts.sha256):
        raise damaged(model.data)
    return facts


def _add_runtime(
    writer: EntryWriter, contents: Contents, advance: Callable[[int], None]
) -> EntryFacts:
    package = contents.runtime or FileRange.of(contents.kit.runtime_pkg)
    expected = contents.kit.info.runtime_sha256
    sha256 = add_file(writer, RUNTIME_NAME, package, advance=advance)
    _require_kit_file(RUNTIME_NAME, sha256, expected)
    return EntryFacts(name=RUNTIME_NAME, role="runtime", size=package.size, sha256=sha256)


def _add_prompt(writer: EntryWriter, prompt: Path | FileRange) -> EntryFacts:
    data = FileRange.of(prompt)
    name = f"prompts/{PurePath(data.name or data.path).name}"
    sha256 = add_file(writer, name, data, aligned=True)
    return EntryFacts(name=name, role="prompt", size=data.size, sha256=sha256)


def _add_sbom(
    writer: EntryWriter,
    contents: Contents,
    origin: Origin,
    launcher: LauncherFacts,
    entries: list[EntryFacts],
) -> EntryFacts:
    # Its library takes long to import.
    from builder.sbom import make_sbom

    data = make_sbom(contents.name, contents.model, origin, contents.kit.info, launcher, entries)
    return _add_small(writer, SBOM_NAME, "sbom", data)


def _add_small(writer: EntryWriter, name: str, role: str, data: bytes) -> EntryFacts:
    return EntryFacts(name=name, role=role, size=len(data), sha256=writer.add_bytes(name, data))


def _manifest(
    contents: Contents,
    origin: Origin,
    launcher: LauncherFacts,
    entries: list[EntryFacts],
    sidecar: Sidecar | None,
) -> Manifest:
    info = contents.kit.info
    return Manifest(
        name=contents.name,
        model=contents.model,
        origin=origin,
        kit=KitFacts(
            target=info.target,
            solofile=info.solofile,
            python=info.python,
            llama_cpp=info.llama_cpp,
            llama_cpp_commit=info.llama_cpp_commit,
            llama_cpp_python=info.llama_cpp_python,
            glibc=info.glibc,
            gpu=info.gpu,
        ),
        launcher=launcher,
        entries=entries,
        defaults=dict(sorted(contents.defaults.items())),
        branding=contents.branding,
        terms=contents.terms,
        parity=contents.parity,
        sidecar=sidecar,
        baked=contents.baked,
    )


def _origin(contents: Contents, weights: EntryFacts) -> Origin:
    itself = OriginFile(name=weights.name, size=weights.size, sha256=weights.sha256)
    return msgspec.structs.replace(contents.origin, files=contents.origin.files or [itself])


def damaged(source: Path | FileRange) -> DamagedFileError:
    """Return the error that says a fetched file is not what its origin promised."""
    path = source if isinstance(source, Path) else source.path
    # A name in the hub's cache leads to the content, which would be found again.
    what = str(path.resolve()) if path.is_symlink() else "it"
    return DamagedFileError(
        f"{source} is damaged: it is not the file its origin tells of.",
        hint=f"Delete {what} and run this again.",
    )


def _require_kit_file(name: str, found: str, expected: str) -> None:
    if found != expected:
        raise ToolError(
            f"The kit's {name} is not the one it was made with.",
            hint="Make the kit anew with `kit build`.",
        )
