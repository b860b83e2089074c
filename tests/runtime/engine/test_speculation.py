"""Tests of choosing how tokens are guessed ahead."""

from typing import Any

import pytest

from runtime.engine.drafting import DrafterChain, PromptLookupDrafter
from runtime.engine.speculation import SpeculationOptions
from runtime.errors import UsageError
from tests.runtime.engine.fake_draft import DraftRunner, open_draft_model


def test_guessing_can_be_turned_off() -> None:
    """Lookup in the prompt needs nothing more, a draft model must be there, `none` is nothing."""
    assert isinstance(SpeculationOptions().drafter(), PromptLookupDrafter)
    assert SpeculationOptions(spec_type="draft-simple").drafter() is None
    assert SpeculationOptions(spec_type="none").drafter() is None


def test_an_unknown_way_is_refused() -> None:
    """The error names the value and what may stand there."""
    with pytest.raises(UsageError, match="spec-type is lucky") as caught:
        SpeculationOptions(spec_type="lucky")
    assert "ngram-simple, draft-simple, both between commas, or none" in str(caught.value.hint)


def test_the_prompt_comes_before_the_draft_model() -> None:
    """Both are asked in this order, and either may be named alone."""
    model = open_draft_model(DraftRunner())
    assert isinstance(SpeculationOptions().drafter(model), DrafterChain)
    assert SpeculationOptions(spec_type="draft-simple").drafter(model) is model
    assert SpeculationOptions(spec_type="draft-simple").has_draft_model
    assert not SpeculationOptions(spec_type="ngram-simple").has_draft_model


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"spec_draft_n_max": 0}, "spec-draft-n-max is 0, and must be above 0"),
        ({"spec_draft_n_min": 4}, "spec-draft-n-min is 4, and must be from 0 to .* which is 3"),
        ({"spec_draft_p_min": 1.5}, r"spec-draft-p-min is 1\.5, and must be from 0 to 1"),
    ],
)
def test_numbers_out_of_range_are_refused(values: dict[str, Any], message: str) -> None:
    """Each error names the flag and its range."""
    with pytest.raises(UsageError, match=message):
        SpeculationOptions(**values)
