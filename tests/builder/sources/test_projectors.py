"""Which projector belongs to a model."""

import pytest

from builder.sources.projectors import best_projector, is_projector


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["mmproj-T-F32.gguf", "mmproj-T-F16.gguf", "mmproj-T-BF16.gguf"], "mmproj-T-F16.gguf"),
        (["mmproj-Q8_0.gguf", "mmproj-F32.gguf", "mmproj-BF16.gguf"], "mmproj-BF16.gguf"),
        (["T.mmproj-Q8_0.gguf", "T.mmproj-f32.gguf"], "T.mmproj-f32.gguf"),
        (["mmproj-T-Q8_0.gguf", "mmproj-T.gguf"], "mmproj-T-Q8_0.gguf"),
        (["mmproj-T.gguf"], "mmproj-T.gguf"),
        (["mmproj-T.txt", "T-Q8_0.gguf"], None),
        ([], None),
    ],
)
def test_of_several_types(names: list[str], chosen: str | None) -> None:
    """F16 comes first, then the exact ones, then smaller ones."""
    assert best_projector(names, "T-Q4_K_M.gguf") == chosen


def test_in_folders() -> None:
    """The nearest one is taken; one in another model's folder is not."""
    names = ["mmproj-F16.gguf", "a/mmproj-F32.gguf", "b/mmproj-F16.gguf"]
    assert best_projector(names, "a/Q4/T.gguf") == "a/mmproj-F32.gguf"
    assert best_projector(names, "c/T.gguf") == "mmproj-F16.gguf"
    assert best_projector(names[1:], "T.gguf") is None


def test_names() -> None:
    """The name tells, whatever the folder is called."""
    assert is_projector("a/MMPROJ-T.GGUF")
    assert not is_projector("mmproj/T-Q8_0.gguf")
