"""Another architecture's Debian in a folder: a Python and the packages that are frozen there.

Its packages are only unpacked, so making it starts none of its programs. proot shows the folder as
`/` to that Python and starts whatever it starts with qemu: neither privileges nor an entry in the
kernel's binfmt_misc are needed.
"""

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec

from builder import console
from builder.cache.items import hold, made_once
from builder.errors import ToolError
from builder.files import atomic_folder
from builder.kit.freeze import PROJECT
from builder.kit.python import Python, asked_python
from builder.pypi import run_pip
from builder.targets import Target, host_target
from runtime.user_folders import user_cache_dir

# glibc 2.36. The release before has Python 3.9, which is too old.
RELEASE = "bookworm"
PYTHON = "3.11"
PACKAGES = ["python3", f"libpython{PYTHON}", "libc-bin", "binutils", "dash", "grep"]

# What freezes, besides what is frozen.
_TOOLS = ["altgraph", "packaging", "setuptools"]
_WHEELS = ["manylinux_2_28", "manylinux2014", "manylinux_2_17"]

# ldd asks whether it may read a file by a system call that proot does not know, so this asks the
# loader itself. Only lines of libraries with a path are understood.
_LDD = '#!/bin/sh\n{loader} --list "$1" | grep "=>"\n'

_FACTS = "python.json"


@dataclass(frozen=True, slots=True)
class _Architecture:
    """What Debian, qemu and wheels call an architecture, and the system's loader there."""

    debian: str
    qemu: str
    wheels: str
    loader: str


_ARCHITECTURES = {
    "linux-aarch64": _Architecture(
        "arm64", "qemu-aarch64-static", "aarch64", "/lib/ld-linux-aarch64.so.1"
    )
}


def has_root(target: Target) -> bool:
    """Say whether there can be a root for a target on this machine."""
    return sys.platform == "linux" and target.name in _ARCHITECTURES


def foreign_python(target: Target, distributions: list[str]) -> Python:
    """Return the Python of a foreign target, in a root that is made on first use.

    Args:
        target: What it is for.
        distributions: The packages that are frozen, installed there in the versions of here.

    Raises:
        SourceError: A wheel could not be downloaded.
        ToolError: There is no such root, a tool is missing or fails.
    """
    architecture = _architecture(target)
    _require_tools(target, architecture)
    folder = _folder(architecture, distributions)

    def make(_lock: int) -> None:
        with atomic_folder(folder) as part:
            with console.status(f"Unpacking Debian for {target.name}"):
                _unpack(architecture, part / "root")
            _install(architecture, distributions, part / "site")
            _write_ldd(architecture, part / "bin")
            python = asked_python(*_start(architecture, part), part)
            facts = [python.version, python.build, python.prefix]
            (part / _FACTS).write_bytes(msgspec.json.encode(facts))

    return _read(architecture, made_once(folder, make))


def made_foreign_python(target: Target, distributions: list[str]) -> Python | None:
    """Return the same if its root was made already, without looking for tools."""
    if not has_root(target):
        return None
    architecture = _ARCHITECTURES[target.name]
    folder = _folder(architecture, distributions)
    return _read(architecture, folder) if hold(folder) else None


def _architecture(target: Target) -> _Architecture:
    if not has_root(target):
        raise ToolError(
            f"A kit for {target.name} cannot be built on {host_target().name}.",
            hint="Run `kit build -o FILE` on such a machine and `kit import FILE` here.",
        )
    return _ARCHITECTURES[target.name]


def _require_tools(target: Target, architecture: _Architecture) -> None:
    missing = [
        name for name in ("mmdebstrap", "proot", architecture.qemu) if shutil.which(name) is None
    ]
    if missing:
        raise ToolError(
            f"A kit for {target.name} is frozen under an emulator here, and "
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not on PATH.",
            hint="On Debian and Ubuntu: sudo apt install mmdebstrap proot qemu-user-static "
            "debian-archive-keyring. Or build it on such a machine and `kit import` its file.",
        )


def _folder(architecture: _Architecture, distributions: list[str]) -> Path:
    facts = [*PACKAGES, *_WHEELS, *_requirements(distributions), _LDD]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    return user_cache_dir() / "roots" / f"{RELEASE}-{architecture.debian}-{digest[:16]}"


def _requirements(distributions: list[str]) -> list[str]:
    return [f"{name}=={version(name)}" for name in [*distributions, *_TOOLS]]


def _unpack(architecture: _Architecture, root: Path) -> None:
    # chrootless: nothing is run inside, so it needs no privileges and, with them, does no harm.
    completed = subprocess.run(
        [
            "mmdebstrap", "--variant=extract", "--mode=chrootless", "--skip=check/chrootless",
            f"--architectures={architecture.debian}", f"--include={','.join(PACKAGES)}",
            RELEASE, str(root),
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if completed.returncode:
        errors = [line for line in completed.stderr.splitlines() if line.startswith("E: ")]
        raise ToolError(
            f"mmdebstrap could not unpack Debian {RELEASE} for {architecture.debian}: "
            f"{errors[0][3:] if errors else 'it did not say why'}.",
            hint="Is a Debian mirror reachable, and debian-archive-keyring installed?",
        )


def _install(architecture: _Architecture, distributions: list[str], site: Path) -> None:
    requirements = _requirements(distributions)
    platforms = [f"--platform={name}_{architecture.wheels}" for name in _WHEELS]
    into = ["--target", str(site), "--no-deps", "--only-binary=:all:", "--no-compile"]
    with console.status(f"Installing {len(requirements)} packages for {architecture.debian}"):
        run_pip(
            ["install", *into, *platforms, f"--python-version={PYTHON}", *requirements],
            doing=f"install the runtime's packages for {architecture.debian}",
        )


def _write_ldd(architecture: _Architecture, folder: Path) -> None:
    folder.mkdir()
    ldd = folder / "ldd"
    ldd.write_text(_LDD.format(loader=architecture.loader), encoding="utf-8")
    ldd.chmod(0o755)


def _start(architecture: _Architecture, folder: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the command that starts the Python in a root, and the variables it needs."""
    proot, qemu = (shutil.which(name) or name for name in ("proot", architecture.qemu))
    seen = ["/proc", "/dev", str(PROJECT), str(user_cache_dir())]
    command = (proot, "-q", qemu, "-r", str(folder / "root"))
    binds = tuple(word for path in seen for word in ("-b", path))
    environment = {
        "PATH": f"{folder / 'bin'}:/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONPATH": str(folder / "site"),
        "PYTHONNOUSERSITE": "1",
    }
    return (*command, *binds, f"/usr/bin/python{PYTHON}"), environment


def _read(architecture: _Architecture, folder: Path) -> Python:
    facts = msgspec.json.decode((folder / _FACTS).read_bytes(), type=tuple[str, str, str])
    return Python(*_start(architecture, folder), *facts)
