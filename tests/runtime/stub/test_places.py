"""Where the runtime is unpacked."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.runtime.stub.solofiles import Run, folders, make_solofile


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


@pytest.mark.parametrize("spelling", [["--unpack-dir", "chosen"], ["--unpack-dir=chosen"]])
def test_unpack_dir(
    tmp_path: Path, solofile: Path, cache: Path, run: Run, spelling: list[str]
) -> None:
    """--unpack-dir beats SOLOFILE_CACHE, wherever it stands; the runtime gets it, too."""
    completed = run(solofile, "run", *spelling, "hello", cwd=tmp_path)

    assert completed.returncode == 0
    assert len(folders(tmp_path / "chosen")) == 1
    assert not cache.exists()
    arguments = completed.stdout.splitlines()[1:]
    assert arguments == [f"argument={word}" for word in ["run", *spelling, "hello"]]


@pytest.mark.parametrize("arguments", [["--", "--unpack-dir", "chosen"], ["--unpack-directory=x"]])
def test_what_is_not_unpack_dir(
    tmp_path: Path, solofile: Path, cache: Path, run: Run, arguments: list[str]
) -> None:
    """Behind `--` are texts, and other flags may begin alike."""
    assert run(solofile, *arguments, cwd=tmp_path).returncode == 0
    assert len(folders(cache)) == 1


@pytest.mark.parametrize("arguments", [["--unpack-dir"], ["--unpack-dir="], ["--unpack-dir", ""]])
def test_unpack_dir_without_a_folder(solofile: Path, run: Run, arguments: list[str]) -> None:
    """The flag alone is a mistake in the command line."""
    completed = run(solofile, *arguments)

    assert completed.returncode == 2
    assert completed.stderr == ("model: --unpack-dir names no folder; write --unpack-dir FOLDER.\n")


@pytest.mark.parametrize("name", ["two words", "模型 与 缓存", "quote'\"$HOME\\"])
def test_names_of_all_kinds(
    tmp_path: Path, launcher: Path, package: Path, run: Run, name: str
) -> None:
    """Neither the file's path nor the cache's has to be plain."""
    folder = tmp_path / name
    folder.mkdir()
    solofile = make_solofile(folder / name, launcher, package)

    completed = run(solofile, environment={"SOLOFILE_CACHE": str(folder / "cache")})

    assert (completed.stdout, completed.stderr) == (f"path={solofile}\n", "")
    assert len(folders(folder / "cache")) == 1


def test_second_user(tmp_path: Path, solofile: Path, run: Run) -> None:
    """Another user of the machine has a runtime of their own, beside the first one's."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    # The folders above may be for their owner only.
    with tempfile.TemporaryDirectory() as shared:
        everyones = Path(shared)
        everyones.chmod(0o1777)
        copy = shutil.copy(solofile, everyones / "model")
        environment = {"TMPDIR": shared, "HOME": str(tmp_path / "nowhere")}

        assert run(copy, environment=environment).returncode == 0
        second = run(copy, environment=environment, user=12345, group=12345, extra_groups=[])

        assert second.returncode == 0
        for user in (0, 12345):
            place = everyones / f"solofile-{user}"
            assert len(folders(place)) == 1
            assert place.stat().st_uid == user


def test_second_user_of_a_chosen_place(tmp_path: Path, solofile: Path, run: Run) -> None:
    """What root unpacked into a folder that all may read serves all, who need not write there."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as shared:
        everyones = Path(shared)
        everyones.chmod(0o755)
        copy = shutil.copy(solofile, everyones / "model")
        (everyones / "cache").mkdir()
        environment = {"SOLOFILE_CACHE": str(everyones / "cache")}
        assert run(copy, environment=environment).returncode == 0

        second = run(copy, environment=environment, user=12345, group=12345, extra_groups=[])

        assert (second.returncode, second.stderr) == (0, "")
