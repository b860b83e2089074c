"""The texts on which models are compared."""

from builder.quality.parity import MAX_TOKENS
from builder.quality.samples import read_samples


def test_texts_of_many_kinds() -> None:
    """There are languages in several scripts and code, none of it cut or empty."""
    samples = {sample.name: sample.text for sample in read_samples()}
    assert {"english", "russian", "arabic", "chinese", "python", "json"} <= samples.keys()
    assert samples["python"].startswith("def ")
    assert samples["python"].endswith("return means")
    assert "風" not in samples["japanese"]
    assert "风筝" in samples["chinese"]


def test_there_are_enough_of_them() -> None:
    """Even a tokenizer with a large vocabulary makes 500 tokens of what is read of them."""
    # Such a one takes some 4.5 letters of a European language together, and 1.5 of Chinese.
    sizes = [len(sample.text.encode()) / 4.5 for sample in read_samples()]
    assert sum(min(size, MAX_TOKENS) for size in sizes) > 500
