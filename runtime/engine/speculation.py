"""Whether and how tokens are guessed ahead."""

from dataclasses import dataclass

from runtime.engine.drafting import Drafter, PromptLookupDrafter
from runtime.errors import UsageError

# llama.cpp's names.
SPEC_TYPES = ("ngram-simple", "none")


@dataclass(frozen=True, slots=True)
class SpeculationOptions:
    """How to guess, by the names of llama.cpp's flags.

    Args:
        spec_type: One of `SPEC_TYPES`.

    Raises:
        UsageError: There is no such type.
    """

    spec_type: str = "ngram-simple"

    def __post_init__(self) -> None:
        """Check the values."""
        if self.spec_type not in SPEC_TYPES:
            raise UsageError(
                f"spec-type is {self.spec_type}, which is no way to guess tokens.",
                hint=f"Set it to {' or '.join(SPEC_TYPES)}.",
            )

    def drafter(self) -> Drafter | None:
        """Return what guesses; None for nothing."""
        return PromptLookupDrafter() if self.spec_type == "ngram-simple" else None
