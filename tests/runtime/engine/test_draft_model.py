"""Tests of how a draft model follows sequences, with a runner that needs no model."""

from collections.abc import Mapping
from collections.abc import Sequence as ReadOnlyList

from runtime.engine.draft_model import MAX_CATCH_UP, DraftLimits
from runtime.engine.drafting import MAX_CHECKED, DrafterChain
from runtime.engine.sampling.logprobs import Choice, Likelihood
from runtime.engine.sequence import GenerationRequest, Sequence
from runtime.engine.types import BatchSlice
from runtime.errors import AppError
from tests.runtime.engine.fake_draft import DraftRunner, open_draft_model


def _sequence(tokens: list[int]) -> Sequence:
    return Sequence(GenerationRequest(tokens), lambda _: None)


def _right() -> DraftRunner:
    return DraftRunner(is_always_right=True)


def test_it_guesses_its_likeliest_tokens() -> None:
    """Several sequences are drafted in one batch per token, each as long as it may be."""
    runner = _right()
    model = open_draft_model(runner)
    one, two = _sequence([1, 2, 3]), _sequence([4])
    drafts = model.propose({one: 2, two: 9})
    assert drafts == {one: runner.expected([1, 2, 3], 2), two: runner.expected([4], 3)}
    assert [len(batch) for batch in runner.history] == [2, 2, 1]


def test_wrong_guesses_are_cut_off() -> None:
    """The next draft computes what the sequence really has, and nothing that is there already."""
    runner = _right()
    model = open_draft_model(runner)
    sequence = _sequence([1, 2, 3])
    [first, second, _] = model.propose({sequence: 3})[sequence]
    sequence.tokens += [first, second + 1]
    before = runner.num_computed
    assert model.propose({sequence: 1})[sequence] == runner.expected(sequence.tokens, 1)
    assert runner.num_computed - before == 1
    assert runner.tokens(runner.history[-1][0].seq_id) == sequence.tokens


def test_an_unchecked_draft_is_made_again() -> None:
    """Where no batch took the draft, the sequence is the same and so is its draft."""
    model = open_draft_model(_right())
    sequence = _sequence([1, 2, 3])
    assert model.propose({sequence: 3}) == model.propose({sequence: 3})


def test_a_long_prompt_is_computed_in_parts() -> None:
    """Each call takes in a part, and a short sequence beside it is drafted meanwhile."""
    runner = _right()
    model = open_draft_model(runner)
    long, short = _sequence([7] * (2 * MAX_CATCH_UP)), _sequence([1, 2])
    drafted = [set(model.propose({long: 3, short: 3})) for _ in range(3)]
    assert drafted == [{short}, {short}, {long, short}]
    assert max(sum(len(piece.tokens) for piece in batch) for batch in runner.history) <= (
        MAX_CATCH_UP
    )


def test_what_does_not_fit_gets_no_draft() -> None:
    """One sequence too many waits until another is forgotten; one that is too long for ever."""
    runner = DraftRunner(n_ctx=2 * (30 + MAX_CHECKED) - 1, is_always_right=True)
    model = open_draft_model(runner, max_length=60)
    one, two = _sequence([1] * 30), _sequence([2] * 30)
    assert set(model.propose({one: 3, two: 3})) == {one}
    model.forget(one)
    assert set(model.propose({two: 3})) == {two}
    two.tokens += [2] * 30
    assert model.propose({two: 3}) == {}
    assert runner.num_cells_used == 0


def test_a_forgotten_sequence_leaves_no_cells() -> None:
    """Its number serves another sequence, and forgetting it twice does no harm."""
    runner = DraftRunner(n_seq_max=1)
    model = open_draft_model(runner)
    for number in range(3):
        sequence = _sequence([number])
        assert model.propose({sequence: 1})
        model.forget(sequence)
        model.forget(sequence)
        assert runner.num_cells_used == 0


def test_it_stops_where_it_is_not_sure() -> None:
    """A guess that is less likely than `p_min` ends the draft, and `n_min` drops a short one."""

    class Doubter(DraftRunner):
        def choice(self, index: int, token: int, num_top: int, offset: int = 0) -> Choice:
            logprob = -0.1 if len(self.history) < 3 else -2.0
            best = Likelihood(self._likeliest(index, offset), logprob)
            return Choice(best, (best,) * num_top)

    for n_min, length in ((0, 2), (2, 2), (3, 0)):
        runner = Doubter(is_always_right=True)
        model = open_draft_model(runner, limits=DraftLimits(n_max=5, n_min=n_min, p_min=0.5))
        sequence = _sequence([1, 2, 3])
        drafts = model.propose({sequence: 9})
        assert drafts.get(sequence, []) == runner.expected([1, 2, 3], length)


def test_it_stops_before_a_token_that_cannot_follow() -> None:
    """The end of the text, and what the model does not know, are not guessed."""
    first, second, *_ = _right().expected([1, 2, 3], 3)
    assert first != second
    model = open_draft_model(_right(), end=second)
    sequence = _sequence([1, 2, 3])
    assert model.propose({sequence: 3}) == {sequence: [first]}


def test_a_failure_costs_drafts_only() -> None:
    """What llama.cpp cannot compute is not drafted, and leaves no cells."""

    class Failing(DraftRunner):
        def decode(self, batch: ReadOnlyList[BatchSlice]) -> None:
            if self.history:
                raise AppError("llama.cpp failed to compute a batch (status -3).")
            super().decode(batch)

    runner = Failing()
    assert open_draft_model(runner).propose({_sequence([1, 2]): 3}) == {}
    assert runner.history
    assert runner.num_cells_used == 0


def test_in_a_chain_the_first_with_a_draft_is_told_how_it_went() -> None:
    """The second is asked for the others only, and both forget."""
    drafters = [_Listed({1: [5]}), _Listed({1: [6], 2: [7]})]
    one, two, three = (_sequence([number]) for number in (1, 2, 3))
    chain = DrafterChain(drafters)
    assert chain.propose(dict.fromkeys((one, two, three), 3)) == {one: [5], two: [7]}
    assert drafters[1].asked == [2, 3]
    chain.learn(one, 1, 0)
    chain.learn(two, 1, 1)
    chain.forget(three)
    assert [drafter.told for drafter in drafters] == [[(1, 0), 3], [(2, 1), 3]]


class _Listed:
    """Drafts from a table by a sequence's first token, and notes what it is told."""

    def __init__(self, drafts: dict[int, list[int]]) -> None:
        self._drafts = drafts
        self.asked: list[int] = []
        self.told: list[object] = []

    def propose(self, limits: Mapping[Sequence, int]) -> dict[Sequence, list[int]]:
        self.asked = [sequence.tokens[0] for sequence in limits]
        return {
            sequence: self._drafts[sequence.tokens[0]]
            for sequence in limits
            if sequence.tokens[0] in self._drafts
        }

    def learn(self, sequence: Sequence, num_drafted: int, num_accepted: int) -> None:
        self.told.append((sequence.tokens[0], num_accepted))

    def forget(self, sequence: Sequence) -> None:
        self.told.append(sequence.tokens[0])
