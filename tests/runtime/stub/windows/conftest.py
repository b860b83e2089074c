"""The launcher for Windows under Wine, before a small runtime written in C."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builder.kit.package import write_package
from builder.kit.stub import compile_stub
from builder.native.toolchain import zig, zig_environment
from builder.targets import TARGETS
from runtime.package import ENTRY_NAME
from tests.runtime.stub.solofiles import make_solofile

STANDIN = Path(__file__).with_name("standin.c")
TARGET = TARGETS["windows-x86_64"]
Wine = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def wine_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Wine with a Windows of its own."""
    if not shutil.which("wine"):
        if os.environ.get("CI") == "true":
            pytest.fail("wine is not installed")
        pytest.skip("wine is not installed")
    prefix = tmp_path_factory.mktemp("wine") / "prefix"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(prefix.parent),
        "LANG": "C.UTF-8",
        "WINEPREFIX": str(prefix),
        "WINEDEBUG": "-all",
        # It asks to download what programs with a browser's engine need.
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
    }
    subprocess.run(["wine", "wineboot", "-i"], env=environment, check=True, capture_output=True)
    pretend_to_be("win10", environment)
    yield environment
    subprocess.run(["wineserver", "-k"], env=environment, check=False)


@pytest.fixture(scope="session")
def launcher() -> Path:
    return compile_stub(TARGET)


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in the place of the frozen runtime."""
    program = tmp_path_factory.mktemp("standin") / "solofile-runtime.exe"
    command: list[str | Path] = [zig(), "cc", "-target", TARGET.zig_triple, "-s", STANDIN]
    command += ["-o", program, "-lshell32", "-lversion"]
    subprocess.run(command, env=zig_environment(), check=True, capture_output=True)
    return program


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, standin: Path) -> Path:
    """A runtime.pkg with the program, a file, an empty one and a folder."""
    folder = tmp_path_factory.mktemp("package")
    files = folder / "files"
    (files / "lib").mkdir(parents=True)
    shutil.copy(standin, files)
    (files / "lib" / "data.dll").write_bytes(bytes(range(256)) * 40)
    (files / "lib" / "empty").touch()
    write_package(files, folder / ENTRY_NAME)
    return folder / ENTRY_NAME


@pytest.fixture
def solofile(tmp_path: Path, launcher: Path, package: Path) -> Path:
    return make_solofile(tmp_path / "model.exe", launcher, package)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def wine(wine_environment: dict[str, str], cache: Path) -> Wine:
    """Start a program with a cache of its own and wait for its end."""

    def start(
        *command: str | Path, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        extra = {"SOLOFILE_CACHE": windows_path(cache)} if environment is None else environment
        return subprocess.run(
            ["wine", *map(str, command)],
            env=wine_environment | extra,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return start


def pretend_to_be(version: str, environment: dict[str, str]) -> None:
    """Let Wine say that it is another version of Windows."""
    command = ["wine", "reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", version, "/f"]
    subprocess.run(command, env=environment, check=True, capture_output=True)


def windows_path(path: Path) -> str:
    """Return how Wine's programs call a path."""
    return "Z:" + str(path).replace("/", "\\")
