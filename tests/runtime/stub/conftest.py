"""The real compiled launcher, and ways to start it."""

import os
import subprocess
from pathlib import Path

import pytest

from builder.kit.stub import compile_stub
from builder.targets import host_target
from tests.runtime.stub.solofiles import RUNTIME, Run, make_package, make_solofile


@pytest.fixture(scope="session")
def launcher() -> Path:
    return compile_stub(host_target())


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runtime.pkg with a shell script, a file, a folder and a link."""
    folder = tmp_path_factory.mktemp("package")
    return make_package(folder, RUNTIME)


@pytest.fixture
def solofile(tmp_path: Path, launcher: Path, package: Path) -> Path:
    return make_solofile(tmp_path / "model", launcher, package)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def run(cache: Path) -> Run:
    """Start a solofile with its own cache and wait for its end."""

    def start(
        *command: str | Path, environment: dict[str, str] | None = None, **options: object
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [str(part) for part in command],
            env={"SOLOFILE_CACHE": str(cache)} if environment is None else environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )

    return start


@pytest.fixture
def mounting(run: Run, cache: Path) -> Run:
    """Run a shell script in a mount namespace of its own."""
    command = ["unshare", "--mount", "--map-root-user"]
    allowed = run(*command, "mount", "-t", "tmpfs", "none", "/mnt").returncode == 0
    if not allowed and os.environ.get("CI") != "true":
        pytest.skip("this user may not mount anything")
    return lambda script, **options: run(*command, "sh", "-e", "-c", script, **options)
