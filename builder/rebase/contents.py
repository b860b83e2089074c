"""What goes into a rebased solofile."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from builder import console
from builder.contents import Contents
from builder.kit.at_hand import ensure_kit
from builder.kit.kit import Kit
from builder.rebase.base import Base
from builder.rebase.order import RebaseOrder
from builder.rebase.papers import rebased_papers
from builder.rebase.prompts import rebased_prompts
from builder.sources.source import Carried
from builder.targets import Target
from builder.terms import require_accepted, sentences
from runtime.branding import Branding
from runtime.errors import UsageError
from runtime.manifest import SettingValue

_NO_SYSTEM = ("system_prompt", "")


def rebased_contents(base: Base, order: RebaseOrder, target: Target, folder: Path) -> Contents:
    """Return a solofile's contents as they are to be.

    Args:
        base: The solofile.
        order: What is to become of it.
        target: What it is to run on.
        folder: Where parts of it may go until it is written.

    Raises:
        AppError: Something that is asked for is not to be had, or does not fit.
    """
    manifest, fetched = base.manifest, base.fetched
    kit = _kit(base, order, target, folder)
    is_same_runtime = kit.info.runtime_sha256 == base.kit.runtime_sha256
    papers = rebased_papers(base, order)
    terms_now = [one for one in papers.terms if one not in manifest.terms]
    for sentence in sentences(terms_now):
        console.info(sentence)
    require_accepted(terms_now, is_accepted=order.accepts_licence)
    defaults = _defaults(base, order)
    prompts = rebased_prompts(base, order, defaults, kit, has_adapters=bool(papers.adapters))
    weights = fetched.files[0]
    name = order.name or manifest.name
    return Contents(
        name=name,
        kit=kit,
        weights=weights.path,
        weights_inside=weights.inside,
        weights_name=manifest.weights.name,
        weights_sha256=manifest.weights.sha256,
        model=msgspec.structs.replace(manifest.model, name=name),
        origin=manifest.origin,
        licences=papers.licences,
        card=fetched.card.text,
        terms=papers.terms,
        adapters=papers.adapters,
        draft=fetched.draft,
        projector=fetched.projector.file if isinstance(fetched.projector, Carried) else None,
        defaults=defaults,
        branding=_branding(base, order),
        icon=order.icon or fetched.icon,
        parity=manifest.parity,
        prompts=prompts.files,
        baked=prompts.facts,
        signer=order.signer,
        launcher=None if order.has_new_kit else base.launcher,
        runtime=base.runtime if is_same_runtime else None,
    )


def _kit(base: Base, order: RebaseOrder, target: Target, folder: Path) -> Kit:
    if order.has_new_kit:
        gpu = base.kit.gpu if order.gpu is None else order.gpu
        return ensure_kit(target, toolchain=order.toolchain, gpu=gpu)
    # What it was made with; its files are put there where baking needs them.
    return Kit(folder, base.kit, origin="imported")


def _defaults(base: Base, order: RebaseOrder) -> dict[str, SettingValue]:
    old = base.manifest.defaults
    if missing := sorted(order.dropped - old.keys()):
        raise UsageError(
            f"{base.path} has no setting {' and no '.join(_as_flags(missing))} built in.",
            hint=f"Built in: {', '.join(_as_flags(sorted(old))) or 'none'}.",
        )
    defaults = {name: value for name, value in old.items() if name not in order.dropped}
    defaults |= order.defaults
    # As `build` without a system prompt has it.
    return {name: value for name, value in defaults.items() if (name, value) != _NO_SYSTEM}


def _as_flags(names: Iterable[str]) -> list[str]:
    """Return names of settings as they are typed."""
    return [name.replace("_", "-") for name in names]


def _branding(base: Base, order: RebaseOrder) -> Branding:
    fields = msgspec.to_builtins(base.manifest.branding) | order.branding
    return msgspec.convert({name: value for name, value in fields.items() if value}, Branding)
