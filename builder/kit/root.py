"""Another architecture's Debian in a folder: a Python and the packages that are frozen there.

Its packages are only unpacked, so making it starts none of its programs. Afterwards qemu runs them,
in namespaces of their own that need no privileges: there the folder is `/`, and the kernel hands
whatever is a program of that architecture to qemu.
"""

import hashlib
import shlex
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
from builder.kit.key import DISTRIBUTIONS
from builder.kit.python import Python, asked_python
from builder.pypi import require_network, run_pip
from builder.targets import Target, host_target
from runtime.user_folders import user_cache_dir

# glibc 2.36. The release before has Python 3.9, which is too old.
RELEASE = "bookworm"
PYTHON = "3.11"
# PyInstaller asks bash's ldd and binutils' objdump.
PACKAGES = ["python3", f"libpython{PYTHON}", "libc-bin", "bash", "dash", "binutils"]

# What freezes, besides what is frozen.
_TOOLS = ["altgraph", "packaging", "setuptools"]
_WHEELS = ["manylinux_2_28", "manylinux2014", "manylinux_2_17"]

_FACTS = "python.json"

# Linux's binfmt_misc: F opens qemu now, so that it need not be in the root; P keeps argv[0].
_ENTRY = (
    r":solofile:M::\x7fELF\x02\x01\x01{zeros}\x02\x00\x{machine:02x}\x00:"
    r"\xff\xff\xff\xff\xff\xff\xff\x00{ones}\xfe\xff\xff\xff:{qemu}:FP"
)
_BINFMT = "/proc/sys/fs/binfmt_misc"


@dataclass(frozen=True, slots=True)
class Architecture:
    """What Debian and qemu call an architecture, and ELF's number for it."""

    debian: str
    name: str
    machine: int

    @property
    def qemu(self) -> str:
        """The program that runs its programs."""
        return f"qemu-{self.name}-static"


ARCHITECTURES = {"linux-aarch64": Architecture("arm64", "aarch64", 183)}


@dataclass(frozen=True, slots=True)
class Root:
    """The root of a foreign target.

    Args:
        folder: Holds it, the packages for its Python, and what that Python says of itself.
        architecture: What it is for.
    """

    folder: Path
    architecture: Architecture

    def command(self, *seen: Path) -> tuple[str, ...]:
        """Return what starts a program of this architecture, whose path comes next.

        Args:
            seen: The folders that it sees besides the root's, at their own places.
        """
        script = "\n".join(["set -e", *self._mounts(seen), *self._registers(), self._enters()])
        unshare = shutil.which("unshare") or "unshare"
        return (unshare, "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh")

    def python(self) -> Python:
        """Return its Python."""
        facts = msgspec.json.decode((self.folder / _FACTS).read_bytes(), type=list[str])
        return Python(*self._python_start(), *facts)

    def ask_python(self) -> None:
        """Keep what its Python says of itself.

        Raises:
            ToolError: It does not start.
        """
        python = asked_python(*self._python_start(), self.folder)
        facts = [python.version, python.build, python.prefix]
        (self.folder / _FACTS).write_bytes(msgspec.json.encode(facts))

    def _python_start(self) -> tuple[tuple[str, ...], dict[str, str]]:
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": str(self.folder / "site"),
            "PYTHONNOUSERSITE": "1",
        }
        start = self.command(PROJECT, user_cache_dir())
        return (*start, f"/usr/bin/python{PYTHON}"), environment

    def _mounts(self, seen: tuple[Path, ...]) -> list[str]:
        lines = []
        for path in (*seen, Path("/tmp"), Path("/proc"), Path("/dev")):
            place = shlex.quote(f"{self.folder}/root{path}")
            lines.append(f"mkdir -p {place}; mount --rbind {shlex.quote(str(path))} {place}")
        return lines

    def _registers(self) -> list[str]:
        qemu = shutil.which(self.architecture.qemu) or self.architecture.qemu
        machine, zeros, ones = self.architecture.machine, r"\x00" * 9, r"\xff" * 8
        entry = _ENTRY.format(zeros=zeros, ones=ones, machine=machine, qemu=qemu)
        # Before Linux 6.7 there are no such entries in namespaces; the system's own has to do.
        return [
            f"if mount -t binfmt_misc none {_BINFMT} 2>/dev/null; then",
            f"  printf %s {shlex.quote(entry)} > {_BINFMT}/register",
            "fi",
        ]

    def _enters(self) -> str:
        root = shlex.quote(f"{self.folder}/root")
        return f"""exec chroot {root} /bin/sh -c 'cd "$0" && exec "$@"' "$PWD" "$@" """


def has_root(target: Target) -> bool:
    """Say whether there can be a root for a target on this machine."""
    return sys.platform == "linux" and target.name in ARCHITECTURES


def made_root(target: Target) -> Root | None:
    """Return the root of a foreign target if it is there already."""
    if not has_root(target):
        return None
    root = _root(ARCHITECTURES[target.name])
    return root if hold(root.folder) else None


def make_root(target: Target) -> Root:
    """Return the root of a foreign target, made on first use.

    Raises:
        SourceError: A wheel could not be downloaded.
        ToolError: There is no such root, or a tool is missing or fails.
    """
    if not has_root(target):
        raise ToolError(
            f"A kit for {target.name} cannot be built on {host_target().name}.",
            hint="Run `kit build -o FILE` on such a machine and `kit import FILE` here.",
        )
    root = _root(ARCHITECTURES[target.name])
    _require_tools(target, root.architecture)

    def make(_lock: int) -> None:
        require_network(f"unpack Debian for {target.name}")
        with atomic_folder(root.folder) as part:
            with console.status(f"Unpacking Debian for {target.name}"):
                _unpack(root.architecture, part / "root")
            _install(root.architecture, part / "site")
            Root(part, root.architecture).ask_python()

    made_once(root.folder, make)
    return root


def _root(architecture: Architecture) -> Root:
    facts = "\n".join([*PACKAGES, *_WHEELS, *_requirements()])
    digest = hashlib.sha256(facts.encode()).hexdigest()[:16]
    return Root(
        user_cache_dir() / "roots" / f"{RELEASE}-{architecture.debian}-{digest}", architecture
    )


def _require_tools(target: Target, architecture: Architecture) -> None:
    missing = [
        name for name in ("mmdebstrap", "unshare", architecture.qemu) if not shutil.which(name)
    ]
    if missing:
        raise ToolError(
            f"A kit for {target.name} is frozen under an emulator here, and "
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not on PATH.",
            hint="On Debian and Ubuntu: sudo apt install mmdebstrap qemu-user-static "
            "debian-archive-keyring. Or build it on such a machine and `kit import` its file.",
        )


def _requirements() -> list[str]:
    return [f"{name}=={version(name)}" for name in [*DISTRIBUTIONS, *_TOOLS]]


def _unpack(architecture: Architecture, root: Path) -> None:
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


def _install(architecture: Architecture, site: Path) -> None:
    requirements = _requirements()
    platforms = [f"--platform={name}_{architecture.name}" for name in _WHEELS]
    into = ["--target", str(site), "--no-deps", "--only-binary=:all:", "--no-compile"]
    with console.status(f"Installing {len(requirements)} packages for {architecture.debian}"):
        run_pip(
            ["install", *into, *platforms, f"--python-version={PYTHON}", *requirements],
            doing=f"install the runtime's packages for {architecture.debian}",
        )
