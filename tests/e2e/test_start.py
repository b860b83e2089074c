"""Starts of a real solofile: the first on a machine, on older systems, and ones that are killed."""

import os
import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runtime.container import Container
from runtime.glibc import GlibcVersion
from runtime.manifest import read_manifest
from tests.debian import debian_root, run_in_root
from tests.solofile import run_solofile

DEBIAN_11 = GlibcVersion(2, 31)


def test_debian_11(solofile: Path) -> None:
    """On Debian 11 the file answers, or says which glibc it needs and which is there."""
    with Container.open(solofile) as container:
        needed = GlibcVersion.parse(read_manifest(container).kit.glibc)

    question = ["run", "What is the capital of France?", "--predict", "12", "--temp", "0"]
    done = run_in_root(debian_root("bullseye"), solofile, *question)

    if needed <= DEBIAN_11:
        assert (done.returncode, "Paris" in done.stdout) == (0, True), done.stderr
    else:
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith(
            f"model: This system has glibc {DEBIAN_11}, and the runtime in the file needs {needed} "
            "or newer; start it on a newer system"
        )


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
