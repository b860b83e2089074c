"""Starts of a real solofile: the first on a machine, on older systems, and ones that are killed."""

import os
import random
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.container import Container
from runtime.glibc import GlibcVersion
from runtime.manifest import read_manifest
from tests.debian import debian_root, run_in_root
from tests.solofile import run_solofile

DEBIAN_11 = GlibcVersion(2, 31)
QUESTION = ["run", "Name the capital of France.", "--predict", "12", "--temp", "0"]


def test_debian_11(solofile: Path) -> None:
    """On Debian 11 the file answers, or says which glibc it needs and which is there."""
    with Container.open(solofile) as container:
        needed = GlibcVersion.parse(read_manifest(container).kit.glibc)

    done = run_in_root(debian_root("bullseye"), solofile, *QUESTION)

    if needed <= DEBIAN_11:
        assert (done.returncode, "Paris" in done.stdout) == (0, True), done.stderr
    else:
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith(
            f"model: This system has glibc {DEBIAN_11}, and the runtime in the file needs {needed} "
            "or newer; start it on a newer system"
        )


def test_on_a_system_that_forbids_much(solofile: Path) -> None:
    """Without HOME, with temporary folders that run nothing, off a read-only medium, it answers."""
    script = """set -e
    folder="/mnt/只读 medium"
    mount -t tmpfs none /mnt; mkdir "$folder"; touch "$folder/model"
    mount --bind "$1" "$folder/model"; mount -o remount,ro,bind "$folder/model"
    mount -o remount,ro /mnt; mount -t tmpfs none /dev/shm
    mount -t tmpfs -o noexec none /var/tmp; mount -t tmpfs -o noexec none /tmp
    shift; exec "$folder/model" "$@"
    """
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", solofile, *QUESTION],
        env={"PATH": os.environ["PATH"]},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, "Paris" in done.stdout) == (0, True), done.stderr
    assert "Unpacked the runtime into /dev/shm/solofile-0, because" in done.stderr


def test_second_user(solofile: Path) -> None:
    """A user without a home folder has answers, too, from a runtime of their own."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    # The folders of the test's own are for their owner only.
    with tempfile.TemporaryDirectory() as shared:
        everyones = Path(shared)
        everyones.chmod(0o1777)
        done = subprocess.run(
            [shutil.copy(solofile, everyones / "model"), *QUESTION],
            env={"TMPDIR": shared, "HOME": "/nonexistent"},
            user=12345,
            group=12345,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, "Paris" in done.stdout) == (0, True), done.stderr
        assert (everyones / "solofile-12345").stat().st_uid == 12345


def test_ten_first_starts_at_once(solofile: Path, tmp_path: Path) -> None:
    """Ten starts on an empty cache all work, and unpack into one folder."""
    with ThreadPoolExecutor(10) as pool:
        results = list(
            pool.map(
                lambda _: run_solofile(
                    solofile, "--version", env={"SOLOFILE_CACHE": str(tmp_path)}
                ),
                range(10),
            )
        )

    assert [result.returncode for result in results] == [0] * 10, results
    assert len(list((tmp_path / "runtime").iterdir())) == 1


def test_unpack_dir(solofile: Path, tmp_path: Path) -> None:
    """The flag may stand before the command or behind it, and no command trips over it."""
    for arguments in (["--unpack-dir", "a", "info"], ["info", "--unpack-dir=a"]):
        done = subprocess.run(
            [solofile, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("name ")
    assert len(list((tmp_path / "a" / "runtime").iterdir())) == 1


def test_killed_at_any_moment(solofile: Path, tmp_path: Path) -> None:
    """Servers killed while they start, or after, leave nothing but the one runtime."""
    homes = [tmp_path / name for name in ("home", "temporary", "run")]
    for folder in homes:
        folder.mkdir()
    environment = os.environ | dict(
        zip(["HOME", "TMPDIR", "XDG_RUNTIME_DIR"], map(str, homes), strict=True)
    )
    environment = {
        name: value
        for name, value in environment.items()
        if name not in {"SOLOFILE_CACHE", "XDG_CACHE_HOME"}
    }
    assert run_solofile(solofile, "--version", env=environment).returncode == 0
    expected = sorted(tmp_path.rglob("*"))
    randomness = random.Random(7)

    for _ in range(12):
        with subprocess.Popen(
            [solofile, "--port", "0", "--no-browser"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            time.sleep(randomness.uniform(0, 0.6))
            server.kill()

    assert run_solofile(solofile, "--version", env=environment).returncode == 0
    assert sorted(tmp_path.rglob("*")) == expected
