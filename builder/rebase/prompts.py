"""The computed prompts of a rebased solofile: kept as long as they would come out the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder import console
from builder.bake.baking import bake
from builder.bake.prompt import BakeOptions
from builder.change.new_file import write_pieces
from builder.change.plan import Piece
from builder.file_range import FileRange
from builder.kit.kit import Kit
from builder.rebase.base import Base
from builder.rebase.order import RebaseOrder
from runtime.manifest import BakedFacts, SettingValue
from runtime.settings.values import SAMPLING_SETTINGS

# What is decided once a prompt was computed.
_OF_ANSWERS = {*SAMPLING_SETTINGS, "predict", "seed"}


@dataclass(frozen=True, slots=True)
class Prompts:
    """Computed prompts, and what the manifest says of them."""

    files: Sequence[Path | FileRange] = ()
    facts: BakedFacts | None = None


def rebased_prompts(
    base: Base,
    order: RebaseOrder,
    defaults: dict[str, SettingValue],
    kit: Kit,
    *,
    has_adapters: bool,
) -> Prompts:
    """Return the prompts of a solofile, computed anew where anything they depend on changed.

    They are computed from the weights where they lie.

    Args:
        base: The solofile.
        order: What is to become of it.
        defaults: The settings that it is to have.
        kit: The runtime that it is to have.
        has_adapters: Whether it is to have LoRA adapters.

    Raises:
        DiskError: The cache is full or not writable.
        ChildFailedError: The model cannot be loaded, its memory cannot be saved, or a prompt is too
            short or does not fit.
        UsageError: There is nothing to bake, or the model changes with its adapters.
    """
    old = base.manifest.baked
    wanted = _wanted(old, order, defaults)
    if not (wanted.has_system or wanted.prompts):
        if base.prompts and order.bakes is None:
            console.info("The computed prompts are left out: what they are made of is not there.")
        return Prompts()
    is_same = (
        wanted.facts == old
        and _decisive(defaults) == _decisive(base.manifest.defaults)
        and kit.info.runtime_sha256 == base.kit.runtime_sha256
        and has_adapters == bool(base.manifest.adapters)
    )
    if is_same:
        return Prompts(base.prompts, old)
    if not kit.runtime_pkg.exists():  # It is the one inside.
        write_pieces([Piece(0, base.runtime)], kit.runtime_pkg)
    weights = base.fetched.files[0]
    baked = bake(wanted, weights, weights.sha256, defaults, kit, has_adapters=has_adapters)
    return Prompts(baked, wanted.facts)


def _wanted(
    old: BakedFacts | None, order: RebaseOrder, defaults: Mapping[str, SettingValue]
) -> BakeOptions:
    if order.bakes is False:
        return BakeOptions()
    had_system = old is not None and old.has_system
    return BakeOptions(
        prompts=old.prompts if old else [],
        has_system=order.bakes or (had_system and bool(defaults.get("system_prompt"))),
        limit_mib=order.bake_limit_mib,
    )


def _decisive(settings: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
    """Return the settings that a computed prompt may depend on."""
    return {name: value for name, value in settings.items() if name not in _OF_ANSWERS}
