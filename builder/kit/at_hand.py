"""Which targets can be packed for with what is here."""

from builder import console
from builder.kit.kit import find_kit
from builder.targets import TARGETS, Target, host_target


def targets_at_hand() -> list[Target]:
    """Return the targets with a kit, and this machine's own, and tell which are left out."""
    kits = {target.name: find_kit(target) for target in TARGETS.values()}
    at_hand = [
        target for target in TARGETS.values() if kits[target.name] or target == host_target()
    ]
    missing = [target.name for target in TARGETS.values() if target not in at_hand]
    if missing:
        console.info(f"Left out, as there is no kit for them here: {', '.join(missing)}.")
    return at_hand
