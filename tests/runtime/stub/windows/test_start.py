"""What a start on Windows passes on, and what it leaves unpacked."""

import os
import shutil
import signal
import subprocess
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from builder.windows.executable import with_resources
from builder.windows.facts import icon_resources, version_resource
from tests.runtime.stub.solofiles import DAY_S, age, folder_name, folders, make_solofile
from tests.runtime.stub.windows.conftest import Wine, pretend_to_be, windows_path
from tests.tiny_icon import png


def test_passes_arguments_exit_code_and_path(wine: Wine, solofile: Path) -> None:
    """The runtime gets every argument and the file's path; its exit code is the file's."""
    completed = wine(solofile, "exit", "7", "", "two words", 'a"b\\', "学习")

    assert completed.stdout.splitlines() == [
        f"path={windows_path(solofile)}",
        "argument=exit",
        "argument=7",
        "argument=",
        "argument=two words",
        'argument=a"b\\',
        "argument=学习",
    ]
    assert completed.returncode == 7
    assert completed.stderr == ""


@pytest.mark.parametrize("name", ["two words.exe", "模型 ключ.exe"])
def test_names(wine: Wine, solofile: Path, name: str) -> None:
    """Spaces and other scripts in the file's name, its folder and the cache change nothing."""
    folder = solofile.parent / f"folder of {name}"
    folder.mkdir()
    moved = solofile.rename(folder / name)
    cache = {"SOLOFILE_CACHE": windows_path(folder / "кэш 2")}

    completed = wine(moved, environment=cache)

    assert completed.stdout.splitlines()[0] == f"path={windows_path(moved)}"
    assert len(folders(folder / "кэш 2")) == 1


def test_a_path_longer_than_260_characters(wine: Wine, solofile: Path) -> None:
    """The file may lie deeper than most programs look; the runtime gets a path that works."""
    deep = solofile.parent / ("a" * 120) / ("b" * 120)
    deep.mkdir(parents=True)
    moved = solofile.rename(deep / "model.exe")

    completed = wine(moved)

    assert completed.stdout.splitlines()[0] == f"path=\\\\?\\{windows_path(moved)}"


def test_unpacks_once(wine: Wine, solofile: Path, package: Path, cache: Path) -> None:
    """The first start unpacks every member; the second uses the folder and marks it as used."""
    wine(solofile)
    folder = cache / "runtime" / folder_name(package)
    assert (folder / "lib" / "data.dll").read_bytes() == bytes(range(256)) * 40
    assert (folder / "lib" / "empty").read_bytes() == b""
    before = (folder / "solofile-runtime.exe").stat()
    age(folder, 10 * DAY_S)

    assert wine(solofile).returncode == 0

    after = (folder / "solofile-runtime.exe").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert time.time() - folder.stat().st_mtime < DAY_S
    assert folders(cache) == [folder.name]


def test_ten_at_once(wine: Wine, solofile: Path, cache: Path) -> None:
    """Ten first starts at once all run, and leave one folder."""
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda n: wine(solofile, "exit", str(n)), range(10)))

    assert [(result.returncode, result.stderr) for result in results] == [
        (number, "") for number in range(10)
    ]
    assert len(folders(cache)) == 1


def test_members_beyond_4_gib(tmp_path: Path, launcher: Path, package: Path, wine: Wine) -> None:
    """Of a file of weights beside it, what lies beyond 4 GiB can be read."""
    solofile = make_solofile(tmp_path / "model.exe", launcher, package)
    weights = tmp_path / "model.weights"
    weights.touch()
    os.truncate(weights, (5 << 30) + 12345)
    with zipfile.ZipFile(weights, "a") as archive:
        archive.writestr("a.gguf", b"GGUFdata")
        entry = archive.getinfo("a.gguf")
    at = entry.header_offset + 30 + len("a.gguf")

    completed = wine(solofile, "read", windows_path(weights), str(at))

    assert completed.stdout.splitlines()[-1] == "bytes=GGUFdata"


def test_ctrl_c_is_the_runtimes(wine: Wine, standin: Path, solofile: Path) -> None:
    """Ctrl-C reaches both; the launcher waits for what the runtime makes of it."""
    completed = wine(standin, "console", windows_path(solofile))

    assert completed.stdout.splitlines()[-1] == "event=0"
    assert completed.returncode == 11


def test_the_runtime_ends_with_the_launcher(
    wine_environment: dict[str, str], solofile: Path, cache: Path
) -> None:
    """Whoever ends the launcher, even by force, ends the runtime, too."""
    environment = wine_environment | {"SOLOFILE_CACHE": windows_path(cache)}
    command = ["wine", str(solofile), "wait"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None, "opened with a pipe"
        assert process.stdout.readline().startswith(b"path=")
        process.send_signal(signal.SIGKILL)
        # The runtime holds the other end of the pipe as long as it lives.
        process.stdout.read()


def test_places(
    wine: Wine, wine_environment: dict[str, str], solofile: Path, package: Path
) -> None:
    """The cache lies in the user's own folder; where that cannot be, among temporary files."""
    assert wine(solofile, environment={}).stderr == ""
    users = Path(wine_environment["WINEPREFIX"]) / "drive_c" / "users"
    own = next(users.glob("*/AppData/Local/solofile"))
    assert folders(own) == [folder_name(package)]
    shutil.rmtree(own)

    own.write_text("in the way", encoding="utf-8")
    completed = wine(solofile, environment={})
    own.unlink()

    assert "Unpacked the runtime into " in completed.stderr
    assert "AppData\\Local\\solofile is not a folder" in completed.stderr
    temporary = next(users.glob("*/Temp/solofile"))
    assert folders(temporary) == [folder_name(package)]
    shutil.rmtree(temporary)


def test_unpack_dir(wine: Wine, solofile: Path, package: Path, cache: Path) -> None:
    """A folder named on the command line is the only place; the runtime sees the flag, too."""
    named = cache.with_name("ключ")
    completed = wine(solofile, "--unpack-dir", windows_path(named))
    assert completed.stdout.splitlines()[1:] == [
        "argument=--unpack-dir",
        f"argument={windows_path(named)}",
    ]
    assert folders(named) == [folder_name(package)]
    assert not cache.exists()


def test_no_place_at_all(wine: Wine, solofile: Path, cache: Path) -> None:
    """Where nothing can be unpacked, one sentence says so."""
    cache.write_text("a file", encoding="utf-8")
    completed = wine(solofile)
    assert completed.returncode == 5
    assert completed.stderr == (
        "model.exe: There is no place to unpack the runtime: "
        f"{windows_path(cache)} is not a folder. To start it, give --unpack-dir or "
        "SOLOFILE_CACHE a writable folder on a disk that programs may be started from.\n"
    )


@pytest.mark.parametrize("size", [-1, -100, 300_000])
def test_cut_short(wine: Wine, solofile: Path, cache: Path, size: int) -> None:
    """A file that was not copied whole is refused before anything is unpacked."""
    whole = solofile.stat().st_size
    os.truncate(solofile, whole + size if size < 0 else min(size, whole - 1))
    completed = wine(solofile)
    assert completed.returncode == 3
    assert completed.stderr.startswith("model.exe: The file is cut short or damaged, its ")
    assert not cache.exists()


def test_damaged(wine: Wine, solofile: Path, package: Path, cache: Path) -> None:
    """A runtime with another digest is not started."""
    data = bytearray(solofile.read_bytes())
    at = data.index(package.read_bytes()) + package.stat().st_size - 10
    data[at] ^= 1
    solofile.write_bytes(data)
    completed = wine(solofile)
    assert completed.returncode == 3
    assert "The runtime inside the file is damaged" in completed.stderr
    assert folders(cache) == []


def test_a_folder_with_a_file_missing_is_made_anew(
    wine: Wine, solofile: Path, package: Path, cache: Path
) -> None:
    """What a cleaner took is put back."""
    wine(solofile)
    (cache / "runtime" / folder_name(package) / "lib" / "data.dll").unlink()
    assert wine(solofile, "exit", "3").returncode == 3
    assert (cache / "runtime" / folder_name(package) / "lib" / "data.dll").is_file()
    assert folders(cache) == [folder_name(package)]


def test_sweeps(wine: Wine, solofile: Path, package: Path, cache: Path) -> None:
    """What a killed start left goes, and so do runtimes not used for 30 days; no more."""
    part = cache / "runtime" / f"{folder_name(package)}.part.1.1"
    old = cache / "runtime" / ("0" * 32)
    for folder in (part, old):
        (folder / "lib").mkdir(parents=True)
        (folder / "lib" / "half").write_bytes(b"half")
        age(folder, 40 * DAY_S)
    (cache / "runtime" / "notes").mkdir()

    assert wine(solofile).returncode == 0

    assert folders(cache) == sorted([folder_name(package), "notes"])


def test_killed_at_any_moment(
    wine: Wine, wine_environment: dict[str, str], solofile: Path, package: Path, cache: Path
) -> None:
    """After starts that were killed, the next one leaves one whole folder."""
    environment = wine_environment | {"SOLOFILE_CACHE": windows_path(cache)}
    for number in range(8):
        with subprocess.Popen(
            ["wine", str(solofile)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(0.02 * number)
            process.kill()
        shutil.rmtree(cache / "runtime" / folder_name(package), ignore_errors=True)

    assert wine(solofile, "exit", "4").returncode == 4
    assert folders(cache) == [folder_name(package)]


def test_windows_is_too_old(
    wine: Wine, wine_environment: dict[str, str], solofile: Path, cache: Path
) -> None:
    """It is said before anything is unpacked."""
    pretend_to_be("win81", wine_environment)
    completed = wine(solofile)
    pretend_to_be("win10", wine_environment)
    assert completed.returncode == 4
    assert completed.stderr == (
        "model.exe: This system is Windows NT 6.3, and the runtime needs Windows 10 or newer; "
        "start it on a newer system.\n"
    )
    assert not cache.exists()


def test_version_facts(wine: Wine, tmp_path: Path, launcher: Path, package: Path) -> None:
    """Windows' own functions find what the builder wrote, and the program still starts."""
    version = version_resource("1.2.3", {"ProductName": "模型"})
    changed = tmp_path / "launcher"
    changed.write_bytes(with_resources(launcher.read_bytes(), [*icon_resources(png()), version]))
    solofile = make_solofile(tmp_path / "model.exe", changed, package)

    completed = wine(solofile, "version")

    assert completed.stdout.splitlines()[-2:] == ["version=1.2", "product=模型"]
