"""The components of a kit that are no packages: Python, llama.cpp, and what is compiled in."""

import re
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from builder.kit.components import Component
from builder.kit.stub import zstd_source
from builder.native import llamacpp
from builder.native.cuda.toolkit import find_toolkit, licence_texts
from builder.native.toolchain import zig
from builder.targets import Target

_ZSTD_VERSION = re.compile(r"#define ZSTD_VERSION_(?:MAJOR|MINOR|RELEASE)\s+(\d+)")


def compiled_in(
    target: Target, toolchain: str, python: str, gpu: Sequence[str] = ()
) -> list[tuple[Component, list[Path]]]:
    """Return them, each with those texts of its licences that are at hand.

    Args:
        target: What the kit is for.
        toolchain: What compiled llama.cpp: `zig` or `system`.
        python: Python's version.
        gpu: The kit's GPU plugins.
    """
    source = llamacpp.source_folder()
    llama_cpp = source / "vendor" / "llama.cpp"
    zstd = zstd_source()
    found = [
        (
            Component(name="CPython", version=python, licence="Python-2.0.1"),
            Path(sysconfig.get_path("stdlib")) / "LICENSE.txt",
        ),
        (
            Component(
                name="llama.cpp",
                version=llamacpp.LLAMA_CPP_VERSION,
                licence="MIT",
                purl=f"pkg:github/ggml-org/llama.cpp@{llamacpp.LLAMA_CPP_COMMIT}",
            ),
            llama_cpp / "LICENSE",
        ),
        (
            Component(
                name="llama-cpp-python",
                version=llamacpp.VERSION,
                licence="MIT",
                purl=f"pkg:pypi/llama-cpp-python@{llamacpp.VERSION}",
            ),
            source / "LICENSE.md",
        ),
        # Read images for libmtmd, and sounds that nothing asks it for.
        (Component(name="stb_image", licence="MIT OR Unlicense"), None),
        (Component(name="miniaudio", licence="Unlicense OR MIT-0"), None),
        (
            Component(
                name="zstd",
                version=".".join(_ZSTD_VERSION.findall((zstd / "zstd.h").read_text("utf-8"))),
                licence="BSD-3-Clause",
                files=["launcher"],
            ),
            zstd / "LICENSE",
        ),
        # PyNaCl carries its text.
        (Component(name="libsodium", licence="ISC"), None),
    ]
    libraries = zig().parent / "lib"
    if target.name.startswith("linux"):
        musl = Component(name="musl", licence="MIT", files=["launcher"])
        found.append((musl, libraries / "libc" / "musl" / "COPYRIGHT"))
    if toolchain == "zig":
        libcxx = Component(name="libc++", licence="Apache-2.0 WITH LLVM-exception")
        found.append((libcxx, libraries / "libcxx" / "LICENSE.TXT"))
    texts = [(one, [text] if text and text.is_file() else []) for one, text in found]
    return [*texts, *(_cuda() if "cuda" in gpu else [])]


def _cuda() -> list[tuple[Component, list[Path]]]:
    """Return what of NVIDIA's toolkit is in its plugin."""
    toolkit = find_toolkit()
    runtime = Component(
        name="NVIDIA CUDA Runtime",
        version=toolkit.release,
        licence="LicenseRef-NVIDIA-Proprietary",
        files=["libggml-cuda.so"],
    )
    headers = Component(
        name="CUDA Core Compute Libraries",
        licence="Apache-2.0 WITH LLVM-exception",
        files=["libggml-cuda.so"],
    )
    text = toolkit.root() / "cccl" / "LICENSE"
    return [(runtime, licence_texts(toolkit)), (headers, [text] if text.is_file() else [])]
