"""A drafter that knows what a fake runner will say."""

import random
from collections.abc import Mapping

from runtime.engine.sequence import Sequence
from tests.runtime.engine.fake_runner import FakeRunner


class Guesser:
    """Drafts what comes, and goes wrong somewhere now and then."""

    def __init__(self, runner: FakeRunner, chance: random.Random) -> None:
        self._runner = runner
        self._chance = chance

    def propose(self, limits: Mapping[Sequence, int]) -> dict[Sequence, list[int]]:
        drafts = {}
        for sequence, limit in limits.items():
            assert limit > 0
            assert sequence.is_decoding
            draft = self._runner.expected(sequence.tokens, self._chance.randint(0, limit))
            drafts[sequence] = [
                token if self._chance.random() < 0.8 else token + 1 for token in draft
            ]
        return drafts

    def learn(self, sequence: Sequence, num_drafted: int, num_accepted: int) -> None:
        assert 0 <= num_accepted <= num_drafted

    def forget(self, sequence: Sequence) -> None:
        pass
