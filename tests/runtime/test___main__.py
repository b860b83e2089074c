"""What the program does with its command line before any command sees it."""

import pytest

from runtime.__main__ import without_unpack_dir


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ([], []),
        (["--unpack-dir", "/a", "info", "--json"], ["info", "--json"]),
        (["info", "--unpack-dir=/a", "--json"], ["info", "--json"]),
        (["info", "--unpack-dir", "/a"], ["info"]),
        (["run", "--unpack-directory"], ["run", "--unpack-directory"]),
        (["run", "--", "--unpack-dir", "/a"], ["run", "--", "--unpack-dir", "/a"]),
    ],
)
def test_the_launchers_flag_is_dropped(arguments: list[str], kept: list[str]) -> None:
    """The flag goes, wherever it stands, with its value; texts behind `--` stay."""
    assert without_unpack_dir(arguments) == kept
