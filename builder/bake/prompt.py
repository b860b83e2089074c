"""Which prompts to bake, and the process's job."""

from pathlib import Path

import msgspec

from runtime.engine.weights import Weights
from runtime.manifest import BakedFacts, Prompt, SettingValue

# By the SmolLM2-135M of the demo, 4,000 tokens take 88 MiB; of an 8B model, 500.
DEFAULT_LIMIT_MIB = 1024


class BakeOptions(msgspec.Struct, frozen=True):
    """What to bake.

    Args:
        prompts: The prompts beside the built-in system prompt.
        has_system: Whether that one is baked.
        limit_mib: What all of them may take together, in MiB.
    """

    prompts: list[Prompt] = []
    has_system: bool = False
    limit_mib: int = DEFAULT_LIMIT_MIB

    @property
    def facts(self) -> BakedFacts:
        """What a manifest says of the results."""
        return BakedFacts(self.has_system, self.prompts)


class BakeJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is to compute.

    Args:
        weights: The model.
        weights_sha256: Its digest, in hex.
        library_sha256: The digest of the llama.cpp library that the solofile will have, in hex.
        settings: The settings that are built in.
        prompts: What to compute.
        limit_bytes: What the results may take together.
        folder: Where they go, as `1.prompt` and so on.
    """

    weights: Weights
    weights_sha256: str
    library_sha256: str
    settings: dict[str, SettingValue]
    prompts: list[Prompt]
    limit_bytes: int
    folder: Path


def file_name(number: int) -> str:
    """Return what the result of a prompt is called; they count from 1."""
    return f"{number}.prompt"
