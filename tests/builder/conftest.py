"""What the builder's tests share."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.kit.kit import Kit
from runtime.user_folders import user_cache_dir
from tests.builder.tiny_kit import make_tiny_kit

EVERYONES_CACHE = user_cache_dir()


@pytest.fixture
def tiny_kit(tmp_path: Path) -> Kit:
    """A kit of a few bytes whose launcher is a shell script that answers."""
    (tmp_path / "kit").mkdir()
    return make_tiny_kit(tmp_path / "kit")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own, for tests that fetch or write models."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("SOLOFILE_CACHE", str(cache))
    return cache


@pytest.fixture
def own_cache_with_llama_cpp(own_cache: Path) -> Path:
    """A cache of its own that has the libraries of everyone's."""
    own_cache.mkdir()
    (own_cache / "llamacpp").symlink_to(EVERYONES_CACHE / "llamacpp")
    return own_cache


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, in which no other program keeps models."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in (
        "OLLAMA_MODELS", "LLAMA_CACHE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME",
        "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SOLOFILE_PASSPHRASE",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("this user cannot mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture(scope="session")
def cloning_disk_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk whose files can share blocks: XFS in a file."""
    folder = tmp_path_factory.mktemp("cloning")
    image, disk = folder / "image", folder / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(400 << 20)
    mount = ["mount", "-o", "loop", str(image), str(disk)]
    for command in (["mkfs.xfs", "-q", str(image)], mount):
        if shutil.which(command[0]) is None or subprocess.run(command, check=False).returncode:
            pytest.skip("this user cannot make and mount an XFS")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def cloning_disk(cloning_disk_of_all: Path) -> Iterator[Path]:
    """An empty folder on a disk whose files can share blocks."""
    folder = Path(tempfile.mkdtemp(dir=cloning_disk_of_all))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder nobody can write to, not even the superuser."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        options = ["-t", "tmpfs", "-o", "size=1m,ro"]
        if subprocess.run(["mount", *options, "tmpfs", str(folder)], check=False).returncode:
            pytest.skip("this user cannot mount a read-only folder")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
    else:
        yield folder
        folder.chmod(0o755)


@pytest.fixture
def own_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which nothing is converted or quantized yet; its tools are everybody's."""
    shared, own = user_cache_dir(), tmp_path / "cache"
    own.mkdir()
    for path in shared.iterdir():
        if path.name not in ("converted", "merged", "quantized"):
            (own / path.name).symlink_to(path)
    monkeypatch.setenv("SOLOFILE_CACHE", str(own))
    return own
