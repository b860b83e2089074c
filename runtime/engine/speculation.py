"""Whether and how tokens are guessed ahead."""

import msgspec

from runtime.engine.draft_model import DraftLimits, DraftModel
from runtime.engine.drafting import Drafter, DrafterChain, PromptLookupDrafter
from runtime.errors import UsageError

# llama.cpp's names.
PROMPT_LOOKUP, DRAFT_MODEL = "ngram-simple", "draft-simple"
SPEC_TYPES = (PROMPT_LOOKUP, DRAFT_MODEL, "none")


class SpeculationOptions(msgspec.Struct, frozen=True):
    """How to guess, by the names of llama.cpp's flags.

    Args:
        spec_type: Some of `SPEC_TYPES` between commas; a draft model is used where one is there.
        spec_draft_n_max: How many tokens the draft model guesses at most.
        spec_draft_n_min: How many it must guess for them to be checked.
        spec_draft_p_min: How likely it must find each.

    Raises:
        UsageError: There is no such type, or a number is out of its range.
    """

    spec_type: str = f"{PROMPT_LOOKUP},{DRAFT_MODEL}"
    spec_draft_n_max: int = 3
    spec_draft_n_min: int = 0
    spec_draft_p_min: float = 0.0

    def __post_init__(self) -> None:
        """Check the values."""
        for kind in self._types:
            if kind not in SPEC_TYPES:
                raise UsageError(
                    f"spec-type is {kind}, which is no way to guess tokens.",
                    hint=f"Set it to {PROMPT_LOOKUP}, {DRAFT_MODEL}, both between commas, or none.",
                )
        if self.spec_draft_n_max < 1:
            raise UsageError(
                f"spec-draft-n-max is {self.spec_draft_n_max}, and must be above 0.",
                hint=f"To use no draft model, set spec-type to {PROMPT_LOOKUP} or none.",
            )
        if not 0 <= self.spec_draft_n_min <= self.spec_draft_n_max:
            raise UsageError(
                f"spec-draft-n-min is {self.spec_draft_n_min}, and must be from 0 to "
                f"spec-draft-n-max, which is {self.spec_draft_n_max}."
            )
        if not 0 <= self.spec_draft_p_min <= 1:
            raise UsageError(
                f"spec-draft-p-min is {self.spec_draft_p_min:g}, and must be from 0 to 1."
            )

    @property
    def _types(self) -> list[str]:
        return self.spec_type.split(",")

    @property
    def has_draft_model(self) -> bool:
        """Whether a draft model is to be used where one is there."""
        return DRAFT_MODEL in self._types

    @property
    def draft_limits(self) -> DraftLimits:
        """What holds for the draft model's guesses."""
        return DraftLimits(self.spec_draft_n_max, self.spec_draft_n_min, self.spec_draft_p_min)

    def drafter(self, draft_model: DraftModel | None = None) -> Drafter | None:
        """Return what guesses; None for nothing.

        Args:
            draft_model: Guesses where the prompt gives no hint; None is not there.
        """
        drafters: list[Drafter] = []
        if PROMPT_LOOKUP in self._types:
            drafters.append(PromptLookupDrafter())
        if draft_model:
            drafters.append(draft_model)
        return DrafterChain(drafters) if len(drafters) > 1 else next(iter(drafters), None)
