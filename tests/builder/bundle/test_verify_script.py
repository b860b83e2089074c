"""`verify.sh` and `start.sh`, with sh and coreutils."""

from pathlib import Path

import pytest

from builder.__main__ import run
from builder.sign.own_key import make_own_key
from builder.sign.secret_key import SecretKey
from tests.builder.bundle.shell import run_script
from tests.damage import flip
from tests.desktop import required_tool


def test_a_sound_bundle(in_parts: Path, tools: Path) -> None:
    """It is said how much was checked."""
    done = run_script(in_parts, tools, "verify.sh")
    assert done.returncode == 0, done.stderr
    num_files = len((in_parts / "SHA256SUMS").read_text().splitlines())
    assert done.stdout == f"All {num_files} files are as they were made.\n"


def test_every_file_is_checked(in_parts: Path, tools: Path) -> None:
    """One flipped bit in any of them is found, and the file named."""
    names = [line[66:] for line in (in_parts / "SHA256SUMS").read_text().splitlines()]
    # What runs while it is changed would be another program.
    names.remove("verify.sh")
    for name in names:
        flip(in_parts / name, (in_parts / name).stat().st_size // 2)
    done = run_script(in_parts, tools, "verify.sh")
    assert done.returncode == 1
    assert done.stdout.splitlines()[:-1] == [f"DAMAGED: {name}" for name in names]


def test_missing_and_added_files(in_parts: Path, tools: Path) -> None:
    """Both are named; what was added does no harm to the rest."""
    (in_parts / "planted").write_text("x")
    done = run_script(in_parts, tools, "verify.sh")
    assert done.returncode == 0
    assert "NOT IN THE LIST: planted\n" in done.stdout
    (in_parts / "Tiny-F32.weights.003").unlink()
    done = run_script(in_parts, tools, "verify.sh")
    assert done.returncode == 1
    assert "MISSING: Tiny-F32.weights.003\n" in done.stdout


def test_an_empty_list_proves_nothing(in_parts: Path, tools: Path) -> None:
    """Neither does a missing one."""
    (in_parts / "SHA256SUMS").write_text("")
    assert run_script(in_parts, tools, "verify.sh").returncode == 2
    (in_parts / "SHA256SUMS").unlink()
    done = run_script(in_parts, tools, "verify.sh")
    assert (done.returncode, done.stderr) == (2, "SHA256SUMS is missing.\n")


@pytest.mark.usefixtures("kits")
def test_the_signature(model: Path, tmp_path: Path, tools: Path) -> None:
    """With a key it is checked by minisign; where that is not installed, nothing is claimed."""
    key = make_own_key(is_protected=False)[1]
    folder = tmp_path / "stick"
    assert run(["bundle", str(model), "-o", str(folder), "--sign"]) == 0
    done = run_script(folder, tools, "verify.sh", key.line)
    assert done.returncode == 2
    assert "minisign is not installed here" in done.stderr
    (tools / "minisign").symlink_to(required_tool("minisign"))
    assert run_script(folder, tools, "verify.sh", key.line).returncode == 0
    other = SecretKey.new().public
    done = run_script(folder, tools, "verify.sh", other.line)
    assert done.returncode == 2
    assert f"SHA256SUMS is not signed by the key {other.line}." in done.stderr


def test_a_start_of_what_is_in_parts(in_parts: Path, tools: Path) -> None:
    """It says what to do first."""
    done = run_script(in_parts, tools, "start.sh")
    assert done.returncode == 1
    assert "is here in parts. Put them together: sh install.sh FOLDER" in done.stderr


@pytest.mark.usefixtures("kits")
def test_a_start(model: Path, tmp_path: Path, tools: Path) -> None:
    """What is no program any more becomes one, and words are passed on."""
    folder = tmp_path / "stick"
    assert run(["bundle", str(model), "-o", str(folder)]) == 0
    (folder / "Tiny-F32").chmod(0o644)
    done = run_script(folder, tools, "start.sh", "run", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('{"text":"Paris')
