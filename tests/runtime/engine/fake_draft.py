"""A draft model without a model: it guesses what the fake runner says, and errs now and then."""

from dataclasses import dataclass

from runtime.engine.draft_model import MAX_CATCH_UP, DraftLimits, DraftModel
from tests.runtime.engine.fake_runner import FakeRunner


@dataclass
class DraftRunner(FakeRunner):
    """Agrees with `FakeRunner` on most continuations, or on all of them."""

    n_ctx: int = 1000
    n_batch: int = MAX_CATCH_UP
    n_seq_max: int = 4
    is_always_right: bool = False

    def continuation(self, tokens: list[int]) -> int:
        token = super().continuation(tokens)
        return token if self.is_always_right or len(tokens) % 5 else token + 1


def open_draft_model(
    runner: FakeRunner, *, limits: DraftLimits | None = None, max_length: int = 1000, end: int = -1
) -> DraftModel:
    """Return a draft model over a fake runner, which never guesses the token `end`."""
    return DraftModel(
        runner,
        limits or DraftLimits(),
        max_length=max_length,
        can_follow=lambda token: token != end,
    )
