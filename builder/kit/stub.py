"""Compiling the launcher of a solofile from `runtime/stub`, with zig and the zstd decoder."""

import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path

import runtime
from builder import console
from builder.cache.items import hold, made_once
from builder.errors import ToolError
from builder.files import atomic_folder
from builder.native.toolchain import ZIG, compile_program, zig
from builder.pypi import download
from builder.targets import Target
from runtime.user_folders import user_cache_dir

ZSTD = "zstandard==0.25.0"
ZSTD_SDIST_SHA256 = "7713e1179d162cf5c7906da876ec2ccb9c3a9dcbdffef0cc7f70c3667a205f0b"

SOURCES = Path(runtime.__file__).parent / "stub"

_FLAGS = [
    "-std=c11",
    "-O2",
    "-g0",
    "-Wall",
    "-Wextra",
    "-s",
    "-DZSTD_DISABLE_ASM=1",
    # Of the whole of zstd, only the decoder is reached and kept.
    "-ffunction-sections",
    "-fdata-sections",
    "-Wl,--gc-sections",
]


@dataclass(frozen=True, slots=True)
class _Build:
    """How the launcher of one target is compiled.

    Args:
        triple: The compiler's name for the target.
        folders: Those with its system's part of the sources.
        flags: What it needs besides `_FLAGS`.
    """

    triple: str
    folders: tuple[str, ...]
    flags: tuple[str, ...]

    def sources(self, pattern: str) -> list[Path]:
        """Return the sources that match a pattern, the common ones first."""
        return [
            path
            for folder in (SOURCES, *(SOURCES / name for name in self.folders))
            for path in sorted(folder.glob(pattern))
        ]


# Static, so that it starts on every Linux and can say what is missing there.
_LINUX_FLAGS = ("-D_GNU_SOURCE", "-static")
_BUILDS = {
    "linux-x86_64": _Build("x86_64-linux-musl", ("posix", "linux"), _LINUX_FLAGS),
    "linux-aarch64": _Build("aarch64-linux-musl", ("posix", "linux"), _LINUX_FLAGS),
    # Their one library, libSystem, is a part of macOS.
    "macos-arm64": _Build("aarch64-macos.11.0", ("posix", "macos"), ()),
    "macos-x86_64": _Build("x86_64-macos.11.0", ("posix", "macos"), ()),
    "windows-x86_64": _Build("x86_64-windows-gnu", ("windows",), ("-municode", "-ladvapi32")),
}


def compile_stub(target: Target) -> Path:
    """Return the launcher for `target`, compiled on first use.

    Raises:
        SourceError: zig or the zstd source could not be downloaded.
        ToolError: There is no launcher for the target, or the compiler failed.
    """
    folder = user_cache_dir() / "stub" / f"{target.name}-{stub_digest(target)[:16]}"

    def make(_lock: int) -> None:
        with (
            console.status(f"Compiling the launcher for {target.name}"),
            atomic_folder(folder) as part,
        ):
            _compile(target, part / "launcher")

    return made_once(folder, make) / "launcher"


def stub_digest(target: Target) -> str:
    """Return the digest of everything a target's launcher is made from, in hex.

    Raises:
        ToolError: There is no launcher for the target.
    """
    build = _build(target)
    pins = [ZIG, ZSTD, ZSTD_SDIST_SHA256, build.triple, *_FLAGS, *build.flags]
    digest = hashlib.sha256("\n".join(pins).encode())
    for path in build.sources("*.[ch]"):
        name = path.relative_to(SOURCES).as_posix()
        digest.update(f"\n{name} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _build(target: Target) -> _Build:
    if target.name not in _BUILDS:
        raise ToolError(
            f"There is no launcher for {target.name} yet.",
            hint=f"The targets that have one are {', '.join(sorted(_BUILDS))}.",
        )
    return _BUILDS[target.name]


def _compile(target: Target, output: Path) -> None:
    zstd = zstd_source()
    build = _build(target)
    command = [str(zig()), "cc", "-target", build.triple, *_FLAGS, *build.flags]
    command += ["-I", str(SOURCES), "-I", str(zstd)]
    command += [str(path) for path in [*build.sources("*.c"), zstd / "zstd.c"]]
    compile_program(
        [*command, "-o", str(output)],
        f"The launcher for {target.name}",
        "the sources are in runtime/stub",
    )


def zstd_source() -> Path:
    """Return the folder with `zstd.c` and `zstd.h`, unpacked from the sdist on first use."""
    home = user_cache_dir() / "zstd" / ZSTD.replace("==", "-")
    hold(home)
    folder = home / "source"
    if not folder.is_dir():
        with atomic_folder(folder) as part, tarfile.open(zstd_archive()) as archive:
            archive.extractall(part, filter="data")
    return folder / ZSTD.replace("==", "-") / "zstd"


def zstd_archive() -> Path:
    """Return zstd's source distribution, downloaded and checked on first use."""
    # Without the option, its setup calls a C preprocessor before it tells pip anything.
    return download(
        ZSTD,
        user_cache_dir() / "zstd" / ZSTD.replace("==", "-") / "sdist",
        sha256=ZSTD_SDIST_SHA256,
        sdist=True,
        setup_option="--no-cffi-backend",
    )
