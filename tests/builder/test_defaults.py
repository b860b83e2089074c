"""Settings that are built in."""

import pytest

from builder.defaults import parse_defaults
from runtime.errors import UsageError


def test_values_get_their_settings_type() -> None:
    """Numbers, switches and texts are what the setting is."""
    assignments = ["temp=0", "ctx-size=4096", "repack=true", "system-prompt=a = b", "seed=-1"]
    values = parse_defaults(assignments)
    assert values == {
        "temp": 0.0,
        "ctx_size": 4096,
        "repack": True,
        "system_prompt": "a = b",
        "seed": -1,
    }
    assert isinstance(values["temp"], float)


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("temp", "--set temp sets nothing"),
        ("heat=1", "heat is no setting"),
        ("model=/home/me/other.gguf", "model is no setting"),
        ("api-key=secret", "--set api-key is refused: everyone who has"),
        ("ctx-size=many", "--set ctx-size=many does not fit"),
        ("repack=perhaps", "--set repack=perhaps does not fit"),
    ],
)
def test_what_cannot_be_set_is_told(assignment: str, sentence: str) -> None:
    """Unknown settings and values of the wrong type are named."""
    with pytest.raises(UsageError, match=sentence):
        parse_defaults([assignment])
