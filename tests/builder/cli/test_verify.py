"""`verify` of several solofiles."""

import json
from pathlib import Path

import pytest

from builder.__main__ import run
from builder.kit.kit import Kit
from builder.pack import write_solofile
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_gguf


def test_one_of_several_is_damaged(
    tiny_kit: Kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is told of, whatever is wrong with the others, and the exit code is 3."""
    sound, damaged, other = (tmp_path / name for name in ("sound", "damaged", "other"))
    write_solofile(contents_of(tiny_kit, write_gguf(tmp_path / "model.gguf")), sound)
    damaged.write_bytes(b"?" + sound.read_bytes()[1:])
    other.write_bytes(bytes(1000))
    assert run(["verify", str(sound)]) == 0
    assert run(["verify", str(damaged), str(other), str(sound)]) == 3
    said = capsys.readouterr()
    assert said.out.count(f"{sound} is sound.\n") == 2
    assert f"{damaged} is damaged in launcher." in said.err
    assert f"{other} is not a solofile" in said.err
    assert run(["verify", "--json", str(damaged), str(other), str(sound)]) == 3
    told = json.loads(capsys.readouterr().out)
    assert [one["is_sound"] for one in told] == [False, False, True]
    assert told[0]["wrong"] == ["launcher"]
