"""What `info --cpu` tells: the code that llama.cpp runs on this processor, and why."""

from runtime.engine.cpu_variants import CpuVariant


def cpu_report(variants: list[CpuVariant]) -> str:
    """Return the variants in words, a line each."""
    used = next((variant for variant in variants if variant.is_used), None)
    lines = [f"{'used':16} {used.name if used else 'none: this processor can run none of them'}"]
    if used:
        features = ", ".join(used.features) or "nothing beyond the base"
        lines.append(f"{'computes with':16} {features}")
    lines.append("variants, the highest score that this processor can run is used:")
    lines += [f"  {variant.name:16} {_verdict(variant)}" for variant in variants]
    return "\n".join(lines)


def _verdict(variant: CpuVariant) -> str:
    if variant.score:
        return f"{variant.score:>5}"
    lacks = ", ".join(variant.missing) or "something that ggml does not name"
    one_of = "one of " if len(variant.missing) > 1 else ""
    return f"{'-':>5}  this processor lacks {one_of}{lacks}"
