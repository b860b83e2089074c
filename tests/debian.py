"""Roots of other Debian releases, in which a solofile is tried."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from builder.cache.items import made_once
from builder.files import atomic_folder
from runtime.user_folders import user_cache_dir


def debian_root(release: str) -> Path:
    """Return a root that holds glibc and nothing else, made on first use.

    Skips the test where none can be made, and fails it in CI.
    """
    folder = user_cache_dir() / "tools" / f"debian-{release}"

    def make(_lock: int) -> None:
        with atomic_folder(folder) as part:
            _make(release, part)

    if not folder.is_dir() and not shutil.which("mmdebstrap"):
        _give_up("mmdebstrap is not installed")
    try:
        return made_once(folder, make)
    except subprocess.CalledProcessError as error:
        _give_up(f"mmdebstrap failed: {error.stderr.strip().splitlines()[-1:]}")
        raise


def run_in_root(root: Path, solofile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a solofile inside a root; there it is `/tmp/model`, and unpacks into that folder."""
    script = """set -e
    root=$1; model=$2; shift 2
    mount --rbind /dev "$root/dev"; mount --rbind /proc "$root/proc"
    mount -t tmpfs none "$root/tmp"; touch "$root/tmp/model"
    mount --bind "$model" "$root/tmp/model"
    exec chroot "$root" /tmp/model "$@"
    """
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"]
    return subprocess.run(
        [*command, root, solofile, *arguments],
        env={"PATH": os.environ["PATH"], "SOLOFILE_CACHE": "/tmp/cache"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _make(release: str, folder: Path) -> None:
    options = ["--variant=extract", "--include=base-files,libc6", "--format=directory"]
    subprocess.run(
        ["mmdebstrap", *options, release, folder],
        capture_output=True,
        text=True,
        timeout=250,
        check=True,
    )


def _give_up(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
