"""Prompts of any length that are the same in every run and have no beginning in common."""

import random

_WORDS = (
    "river stone lamp winter garden paper bridge window summer forest market letter engine "
    "harbor silver kitchen mountain story yellow circle travel music planet doctor village "
    "answer morning island record simple number signal copper branch station answer teacher "
    "cotton valley ladder report candle orange pocket shadow thunder velvet walnut anchor"
)
_WORDS_PER_SENTENCE = 9


def text(seed: int, num_words: int) -> str:
    """Return sentences of random words, about 1.15 tokens for each of them."""
    # Not for secrets: the same seed must give the same text.
    chosen = random.Random(seed).choices(_WORDS.split(), k=num_words)
    sentences = [
        " ".join(chosen[start : start + _WORDS_PER_SENTENCE]).capitalize() + "."
        for start in range(0, num_words, _WORDS_PER_SENTENCE)
    ]
    return " ".join(sentences)
