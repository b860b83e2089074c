"""Compiling the launcher of a solofile from `runtime/stub`, with zig and the zstd decoder."""

import hashlib
import subprocess
import tarfile
from pathlib import Path

import runtime
from builder import console
from builder.cache.items import hold, made_once
from builder.cache.layout import scratch_path
from builder.errors import ToolError
from builder.files import atomic_folder, scratch_folder
from builder.native.toolchain import ZIG, zig, zig_environment, zig_toolchain
from builder.pypi import download
from builder.targets import Target, host_target
from runtime.user_folders import user_cache_dir

ZSTD = "zstandard==0.25.0"
ZSTD_SDIST_SHA256 = "7713e1179d162cf5c7906da876ec2ccb9c3a9dcbdffef0cc7f70c3667a205f0b"

SOURCES = Path(runtime.__file__).parent / "stub"

# Static, so that it starts on every Linux and can say what is missing there.
_TRIPLES = {"linux-x86_64": "x86_64-linux-musl", "linux-aarch64": "aarch64-linux-musl"}
_FLAGS = [
    "-std=c11",
    "-D_GNU_SOURCE",
    "-O2",
    "-g0",
    "-Wall",
    "-Wextra",
    "-static",
    "-s",
    "-DZSTD_DISABLE_ASM=1",
    # Of the whole of zstd, only the decoder is reached and kept.
    "-ffunction-sections",
    "-fdata-sections",
    "-Wl,--gc-sections",
]


def compile_stub(target: Target) -> Path:
    """Return the launcher for `target`, compiled on first use.

    Raises:
        SourceError: zig or the zstd source could not be downloaded.
        ToolError: There is no launcher for the target, or the compiler failed.
    """
    if target.name not in _TRIPLES:
        raise ToolError(
            f"There is no launcher for {target.name} yet.",
            hint=f"The targets that have one are {', '.join(sorted(_TRIPLES))}.",
        )
    folder = user_cache_dir() / "stub" / f"{target.name}-{stub_digest()[:16]}"

    def make(_lock: int) -> None:
        with (
            console.status(f"Compiling the launcher for {target.name}"),
            atomic_folder(folder) as part,
        ):
            _compile(target, part / "launcher")

    return made_once(folder, make) / "launcher"


def stub_digest() -> str:
    """Return the digest of everything the launcher is made from, in hex."""
    digest = hashlib.sha256("\n".join([ZIG, ZSTD, ZSTD_SDIST_SHA256, *_FLAGS]).encode())
    for path in sorted(SOURCES.glob("*.[ch]")):
        digest.update(f"\n{path.name} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _compile(target: Target, output: Path) -> None:
    zstd = _zstd_source()
    command = [str(zig()), "cc", "-target", _TRIPLES[target.name], *_FLAGS, "-I", str(zstd)]
    command += [str(path) for path in [*sorted(SOURCES.glob("*.c")), zstd / "zstd.c"]]
    completed = subprocess.run(
        [*command, "-o", str(output)],
        env=zig_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        raise ToolError(
            f"The launcher for {target.name} did not compile: {completed.stderr.strip()}",
            hint="See the first error above; the sources are in runtime/stub.",
        )


def _zstd_source() -> Path:
    """Return the folder with `zstd.c` and `zstd.h`, unpacked from the sdist on first use."""
    home = user_cache_dir() / "zstd" / ZSTD.replace("==", "-")
    hold(home)
    folder = home / "source"
    if not folder.is_dir():
        with scratch_folder(scratch_path("cc")) as wrappers:
            # Its setup calls a C preprocessor before it tells pip anything.
            zig_toolchain(host_target(), wrappers)
            sdist = download(
                ZSTD,
                home / "sdist",
                sha256=ZSTD_SDIST_SHA256,
                sdist=True,
                environment=zig_environment() | {"CC": f"{wrappers}/cc"},
            )
        with atomic_folder(folder) as part, tarfile.open(sdist) as archive:
            archive.extractall(part, filter="data")
    return folder / ZSTD.replace("==", "-") / "zstd"
