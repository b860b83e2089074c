"""Where the runtime is unpacked."""

import os
from pathlib import Path

import pytest

from tests.runtime.stub.solofiles import Run, folders


def test_order(tmp_path: Path, solofile: Path, run: Run) -> None:
    """The XDG folder comes first, then the home folder, then the temporary folder."""
    xdg, home, temporary = (tmp_path / name for name in ("xdg", "home", "temporary"))
    home.mkdir()
    temporary.mkdir()
    environment = {
        "XDG_CACHE_HOME": str(xdg),
        "HOME": str(home),
        "TMPDIR": str(temporary),
    }
    expected = [
        xdg / "solofile",
        home / ".cache" / "solofile",
        temporary / f"solofile-{os.geteuid()}",
    ]
    for place, name in zip(expected, list(environment), strict=True):
        completed = run(solofile, environment=environment)
        assert completed.returncode == 0
        assert completed.stderr == ""
        assert len(folders(place)) == 1
        assert place.stat().st_mode & 0o777 == 0o700
        del environment[name]


def test_says_which_place_is_used_instead(tmp_path: Path, solofile: Path, run: Run) -> None:
    """Where the first place is refused, one line says so, on the first start only."""
    home = tmp_path / "nowhere"
    environment = {"HOME": str(home), "TMPDIR": str(tmp_path)}

    first, second = (run(solofile, environment=environment) for _ in range(2))

    place = tmp_path / f"solofile-{os.geteuid()}"
    assert first.returncode == second.returncode == 0
    assert first.stderr == (
        f"model: Unpacked the runtime into {place}, "
        f"because {home}/.cache/solofile does not exist.\n"
    )
    assert second.stderr == ""
    assert not home.exists()


@pytest.mark.parametrize("trap", ["writable", "foreign", "link"])
def test_shared_place_must_be_ours(tmp_path: Path, solofile: Path, run: Run, trap: str) -> None:
    """A folder that others prepared under our name in a shared place is not used."""
    place = tmp_path / f"solofile-{os.geteuid()}"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if trap == "link":
        place.symlink_to(elsewhere)
    else:
        place.mkdir()
        place.chmod(0o777)
    if trap == "foreign":
        if os.geteuid() != 0:
            pytest.skip("only root can give folders away")
        place.chmod(0o700)
        os.chown(place, 12345, 12345)
    temporary = {"TMPDIR": str(tmp_path), "HOME": str(tmp_path / "nowhere")}

    completed = run(solofile, environment=temporary)

    assert completed.returncode == 0
    assert list(elsewhere.iterdir()) == []
    assert trap == "link" or list(place.iterdir()) == []


def test_chosen_place_may_be_relative(tmp_path: Path, solofile: Path, run: Run) -> None:
    """SOLOFILE_CACHE is taken from the current folder, and made with its parents."""
    completed = run(solofile, environment={"SOLOFILE_CACHE": "a/b"}, cwd=tmp_path)

    assert completed.returncode == 0
    assert len(folders(tmp_path / "a" / "b")) == 1


def test_chosen_place_is_the_only_one(tmp_path: Path, solofile: Path, run: Run) -> None:
    """An unusable SOLOFILE_CACHE is an error even where other places would do."""
    file = tmp_path / "file"
    file.touch()

    completed = run(solofile, environment={"SOLOFILE_CACHE": str(file), "HOME": str(tmp_path)})

    assert completed.returncode == 5
    assert f"{file} is not a folder" in completed.stderr
    assert not (tmp_path / ".cache").exists()
