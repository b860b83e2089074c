"""`install.sh`: checking, joining, going on, and naming what is wrong, with sh and coreutils."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from builder.targets import host_target
from runtime.verify import verify
from tests.builder.bundle.shell import OTHER, run_script
from tests.damage import flip
from tests.desktop import required_tool

SOLOFILE = f"Tiny-F32-{host_target().name}"
WEIGHTS = "Tiny-F32.weights"
PART = 1 << 20


def copied(output: str) -> list[str]:
    """Return the numbers of the parts of the weights that were copied."""
    begin = f"Copying {WEIGHTS}."
    return [line.removeprefix(begin) for line in output.splitlines() if line.startswith(begin)]


def whole_weights(bundle: Path) -> bytes:
    """Return the weights as they are in one piece."""
    return b"".join(path.read_bytes() for path in sorted(bundle.glob(f"{WEIGHTS}.*")))


def test_parts_are_joined(in_parts: Path, tools: Path, tmp_path: Path) -> None:
    """In a new folder lies what this system needs, whole, and it starts."""
    to = tmp_path / "new folder" / "model"
    done = run_script(in_parts, tools, "install.sh", to)
    assert done.returncode == 0, done.stderr
    assert copied(done.stdout) == ["001", "002", "003", "004"]
    assert sorted(path.name for path in to.iterdir()) == [SOLOFILE, WEIGHTS]
    assert (to / WEIGHTS).read_bytes() == whole_weights(in_parts)
    assert verify(to / SOLOFILE) == []
    assert done.stdout.endswith(f"Start it:\n    {to / SOLOFILE}\n")
    assert "Paris" in subprocess.check_output([to / SOLOFILE], text=True)


def test_as_on_macos(in_parts: Path, tools: Path, tmp_path: Path) -> None:
    """Its shell is bash, and it has shasum; a system with neither program is told so."""
    (tools / "sha256sum").unlink()
    for script in ("install.sh", "verify.sh"):
        done = run_script(in_parts, tools, script, tmp_path / "to")
        assert done.returncode != 0
        assert "Neither sha256sum nor shasum is on this system" in done.stderr
    (tools / "shasum").symlink_to(required_tool("shasum"))
    done = run_script(in_parts, tools, "verify.sh", shell="bash")
    assert done.returncode == 0, done.stdout
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to", shell="bash")
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "to" / SOLOFILE) == []


def test_run_again(in_parts: Path, tools: Path, tmp_path: Path) -> None:
    """What is there is checked and not copied again; what was changed there is replaced."""
    run_script(in_parts, tools, "install.sh", tmp_path / "to")
    flip(tmp_path / "to" / SOLOFILE, 20)
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to")
    assert done.returncode == 0
    assert f"{WEIGHTS} is there already." in done.stdout
    assert f"Copying {SOLOFILE}\n" in done.stdout
    assert verify(tmp_path / "to" / SOLOFILE) == []


def test_for_another_system(in_parts: Path, tools: Path, tmp_path: Path) -> None:
    """Its files can be fetched here; of a system that has none, those are named that have."""
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to", OTHER)
    assert done.returncode == 0
    names = sorted(path.name for path in (tmp_path / "to").iterdir())
    assert names == [f"Tiny-F32-{OTHER}", WEIGHTS]
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to", "macos-arm64")
    assert done.returncode == 1
    assert "nothing for this system (macos-arm64) here. There is:\n" in done.stdout
    assert f"    {OTHER}\n" in done.stdout


@pytest.mark.parametrize("number", [1, 3, 4])
def test_a_damaged_part_is_named(in_parts: Path, tools: Path, tmp_path: Path, number: int) -> None:
    """Nothing of it stays; once it is sound again, only what is missing is copied."""
    part = in_parts / f"{WEIGHTS}.00{number}"
    flip(part, 5000)
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to")
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if "DAMAGED" in line] == [
        f"DAMAGED: {part.name}"
    ]
    assert "copied here again; then run this again" in done.stderr
    assert not (tmp_path / "to" / WEIGHTS).exists()
    assert (tmp_path / "to" / f"{WEIGHTS}.part").stat().st_size == (number - 1) * PART

    flip(part, 5000)
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to")
    assert done.returncode == 0
    assert copied(done.stdout) == [f"00{one}" for one in range(number, 5)]
    assert verify(tmp_path / "to" / SOLOFILE) == []


def test_all_damaged_parts_are_named_at_once(in_parts: Path, tools: Path, tmp_path: Path) -> None:
    """So that nobody walks twice; one that was cut short is among them."""
    flip(in_parts / f"{WEIGHTS}.002", 7)
    os.truncate(in_parts / f"{WEIGHTS}.004", 10)
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to")
    assert f"DAMAGED: {WEIGHTS}.002\nDAMAGED: {WEIGHTS}.004\n" in done.stdout


def test_missing_parts_are_named(in_parts: Path, tools: Path, tmp_path: Path) -> None:
    """All of them, before anything is copied."""
    for number in (2, 3):
        (in_parts / f"{WEIGHTS}.00{number}").unlink()
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to")
    assert done.returncode == 1
    assert f"MISSING: {WEIGHTS}.002\nMISSING: {WEIGHTS}.003\n" in done.stderr
    assert list((tmp_path / "to").iterdir()) == []


def test_killed_and_run_again(in_parts: Path, tools: Path, tmp_path: Path) -> None:
    """It goes on where it was."""
    to = tmp_path / "to"
    process = subprocess.Popen(
        [required_tool("dash"), in_parts / "install.sh", to],
        env={"PATH": str(tools)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == f"Copying {WEIGHTS}.003\n":
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    done = run_script(in_parts, tools, "install.sh", to)
    assert done.returncode == 0
    assert not {"001", "002"} & set(copied(done.stdout))
    assert verify(to / SOLOFILE) == []


@pytest.mark.parametrize(
    ("size", "flipped", "again"),
    [
        (2 * PART + 700, None, ["003", "004"]),
        (2 * PART, None, ["003", "004"]),
        (3 * PART, PART + 9, ["002", "003", "004"]),
        (8 * PART, None, []),
        (8 * PART, 0, ["001", "002", "003", "004"]),
    ],
)
def test_what_an_interruption_left(
    in_parts: Path, tools: Path, tmp_path: Path, size: int, flipped: int | None, again: list[str]
) -> None:
    """Parts that lie there whole are not copied again, and no others are believed."""
    to = tmp_path / "to"
    to.mkdir()
    left = to / f"{WEIGHTS}.part"
    left.write_bytes((whole_weights(in_parts) + bytes(8 * PART))[:size])
    if flipped is not None:
        flip(left, flipped)
    done = run_script(in_parts, tools, "install.sh", to)
    assert done.returncode == 0, done.stderr
    assert copied(done.stdout) == again
    assert (to / WEIGHTS).read_bytes() == whole_weights(in_parts)


def test_a_full_disk(in_parts: Path, tools: Path, small_disk: Path) -> None:
    """It is told, and what was copied stays for the next run."""
    done = run_script(in_parts, tools, "install.sh", small_disk)
    assert done.returncode == 1
    assert done.stderr == f"The disk with {small_disk} is full.\n"
    assert not (small_disk / WEIGHTS).exists()


def test_from_a_medium_that_allows_nothing(
    in_parts: Path, tools: Path, small_disk: Path, tmp_path: Path
) -> None:
    """Neither writing nor starting programs: it is installed from there, and says so else."""
    remount = ["mount", "-o", "remount,ro,noexec", str(small_disk)]
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    medium = small_disk / "stick"
    shutil.copytree(in_parts, medium)
    subprocess.run(remount, check=True)
    done = run_script(medium, tools, "install.sh", tmp_path / "to")
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "to" / SOLOFILE) == []
    assert run_script(medium, tools, "verify.sh").returncode == 0


def test_a_damaged_list_of_files(in_parts: Path, tools: Path, tmp_path: Path) -> None:
    """It is found before anything is copied by it."""
    flip(in_parts / "systems" / f"{host_target().name}.sha256", 70)
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to")
    assert done.returncode == 1
    assert f"DAMAGED: systems/{host_target().name}.sha256 or SHA256SUMS." in done.stderr
    assert list((tmp_path / "to").iterdir()) == []


def test_an_altered_list(in_parts: Path, tools: Path, tmp_path: Path) -> None:
    """Parts that do not make the whole are not taken for it."""
    sums = (in_parts / "SHA256SUMS").read_text().splitlines(keepends=True)
    kept = [line for line in sums if f"{WEIGHTS}.002" not in line]
    (in_parts / "SHA256SUMS").write_text("".join(kept))
    done = run_script(in_parts, tools, "install.sh", tmp_path / "to")
    assert done.returncode == 1
    assert f"DAMAGED: the copy of {WEIGHTS}" in done.stdout
    names = [path.name for path in (tmp_path / "to").iterdir()]
    assert names == [SOLOFILE]
