"""Choosing among the files of a repository."""

import pytest

from builder.errors import SourceError
from builder.sources.quantizations import choose, variants


@pytest.mark.parametrize(
    ("files", "wanted", "chosen"),
    [
        (["a-Q8_0.gguf", "a-Q4_K_M.gguf"], "", "a-Q4_K_M.gguf"),
        (["a-Q8_0.gguf", "a-Q4_0.gguf", "a-F16.gguf"], "", "a-Q4_0.gguf"),
        (["a.Q2_K.gguf"], "", "a.Q2_K.gguf"),
        (["model.gguf", "README.md"], "", "model.gguf"),
        (["a-UD-Q4_K_XL.gguf", "a-Q8_0.gguf"], "", "a-UD-Q4_K_XL.gguf"),
        (["a-UD-Q4_K_XL.gguf", "a-Q8_0.gguf"], "q4_k_xl", "a-UD-Q4_K_XL.gguf"),
        (["a-Q8_0.gguf", "a-UD-Q8_0.gguf"], "UD-Q8_0", "a-UD-Q8_0.gguf"),
        (["sub/a-BF16.gguf"], "bf16", "sub/a-BF16.gguf"),
        (["sub/a-BF16.gguf"], "a-BF16.gguf", "sub/a-BF16.gguf"),
        (["a-Q4_0.gguf", "mmproj-a-Q4_0.gguf", "a.imatrix.gguf"], "Q4_0", "a-Q4_0.gguf"),
        (["a-Q4_0-00001-of-00002.gguf", "b-Q8_0.gguf"], "", "b-Q8_0.gguf"),
    ],
)
def test_choose(files: list[str], wanted: str, chosen: str) -> None:
    """Quantizations match in any case; the default is the smallest that loses little."""
    assert choose(variants(files), wanted, "repo").files[0] == chosen


@pytest.mark.parametrize(
    ("files", "wanted", "sentence"),
    [
        ([], "", "repo holds no GGUF file"),
        (["mmproj-F16.gguf"], "", "repo holds no GGUF file"),
        (["a-Q8_0.gguf"], "Q4_0", "repo holds no Q4_0"),
        (["a.gguf", "b.gguf"], "", r"repo holds more than one model: a\.gguf, b\.gguf"),
        (["a-Q4_0.gguf", "b-Q4_0.gguf"], "q4_0",
         r"repo holds more than one model for q4_0: a-Q4_0\.gguf, b-Q4_0\.gguf"),
        (["a-Q4_0-00001-of-00002.gguf"], "Q4_0", r"repo lacks a-Q4_0-00002-of-00002\.gguf"),
        (["a-Q4_0-00002-of-00002.gguf"], "", r"repo lacks a-Q4_0-00001-of-00002\.gguf"),
    ],
)  # fmt: skip
def test_refused(files: list[str], wanted: str, sentence: str) -> None:
    """What is not there, or not clear, is told with the names that are."""
    with pytest.raises(SourceError, match=sentence):
        choose(variants(files), wanted, "repo")
