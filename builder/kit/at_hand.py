"""Which kits are here: built, imported or installed."""

from collections.abc import Sequence

from builder import console
from builder.cache.items import hold
from builder.errors import ToolError
from builder.kit.building import build_kit, built_here
from builder.kit.installed import distribution_name, installed_kits
from builder.kit.kit import INFO_NAME, Kit, kits_folder, load_kit
from builder.kit.root import has_root
from builder.targets import TARGETS, Target, host_target
from builder.vendor.kit import import_vendored
from runtime import __version__


def ensure_kit(target: Target, *, toolchain: str = "zig", gpu: Sequence[str] = ()) -> Kit:
    """Return a kit for `target`: the one there is, or for this machine's own one built now.

    Args:
        target: What it runs on.
        toolchain: What compiles one that is not there yet: `zig` or `system`.
        gpu: The GPU plugins it must have: these and no others.

    Raises:
        SourceError: A download failed.
        ToolError: There is none and it cannot be built here, or building it failed.
    """
    if kit := find_kit(target, toolchain=toolchain, gpu=gpu):
        return kit
    if target == host_target():
        return build_kit(target, toolchain=toolchain, gpu=gpu)
    plugins = "".join(f" --gpu {name}" for name in gpu)
    can_build = has_root(target) and not gpu
    here = f"Run `kit build --target {target.name}`, or get one: r" if can_build else "R"
    wheel = "" if gpu else f", or install {distribution_name(target.name)}=={__version__}"
    raise ToolError(
        f"There is no kit for {target.name}{plugins} here.",
        hint=f"{here}un `kit build{plugins} -o FILE` on a {target.name} machine and "
        f"`kit import FILE` here{wheel}.",
    )


def find_kit(target: Target, *, toolchain: str = "zig", gpu: Sequence[str] = ()) -> Kit | None:
    """Return the kit for `target` that is used now; None where there is none yet.

    One built here of the present sources comes first. Of the others, those of this version come
    before those of another, then imported ones before installed ones, then the newest first.
    Offline, those in the vendored folder are imported.
    """
    if folder := built_here(target, toolchain, gpu):
        return load_kit(folder)
    import_vendored(target, gpu)
    others = [
        kit
        for kit in list_kits()
        if kit.origin != "built"
        and kit.info.target == target.name
        and kit.info.gpu == sorted(set(gpu))
    ]
    others.sort(key=lambda kit: kit.info.solofile != __version__)
    return next((kit for kit in others if hold(kit.folder)), None)


def find_kit_with(target: Target, runtime_sha256: str) -> Kit | None:
    """Return a kit with a certain runtime, of whatever sources; None where there is none.

    Args:
        target: What it runs on.
        runtime_sha256: The digest of its `runtime.pkg`, in hex.
    """
    found = (
        kit
        for kit in list_kits()
        if kit.info.target == target.name and kit.info.runtime_sha256 == runtime_sha256
    )
    return next((kit for kit in found if hold(kit.folder)), None)


def list_kits() -> list[Kit]:
    """Return every kit that is there, by target: those of the cache folder, the newest first."""
    folders = [path.parent for path in kits_folder().glob(f"*/*/{INFO_NAME}")]
    folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    folders += [folder for folder in installed_kits() if (folder / INFO_NAME).is_file()]
    kits = map(load_kit, folders)
    return sorted(kits, key=lambda kit: kit.info.target)


def targets_at_hand(gpu: Sequence[str] = ()) -> list[Target]:
    """Return the targets with a kit, and this machine's own, and tell which are left out.

    Args:
        gpu: The GPU plugins that the kits must have.
    """
    kits = {target.name: find_kit(target, gpu=gpu) for target in TARGETS.values()}
    at_hand = [
        target for target in TARGETS.values() if kits[target.name] or target == host_target()
    ]
    missing = [target.name for target in TARGETS.values() if target not in at_hand]
    if missing:
        console.info(f"Left out, as there is no kit for them here: {', '.join(missing)}.")
    return at_hand
