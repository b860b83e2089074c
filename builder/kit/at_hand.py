"""Which targets can be packed for with what is here."""

from collections.abc import Sequence

from builder import console
from builder.kit.kit import find_kit
from builder.targets import TARGETS, Target, host_target


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
