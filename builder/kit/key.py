"""The key of a kit: a digest of everything that decides what its build gives."""

import hashlib
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from builder.kit import (
    compiled_in,
    components,
    elf,
    frames,
    freeze,
    late_imports,
    module_code,
    module_file,
    package,
    patterns,
    python,
)
from builder.kit.python import Python
from builder.kit.stub import stub_digest
from builder.native import llamacpp
from builder.native.gpu import find_plugin
from builder.native.libraries import library_options
from builder.native.start_library import SOURCE
from builder.targets import Target

# The distributions that are frozen, or that freeze and compress.
DISTRIBUTIONS = [
    "anyio", "cffi", "click", "h11", "idna", "jinja2", "markupsafe", "msgspec", "prompt-toolkit",
    "pyinstaller", "pyinstaller-hooks-contrib", "pynacl", "starlette", "typing-extensions",
    "uvicorn", "wcwidth", "zstandard",
]  # fmt: skip

_MODULES = (
    compiled_in,
    components,
    elf,
    frames,
    freeze,
    late_imports,
    module_code,
    module_file,
    package,
    patterns,
    python,
)
_BUILDERS = [Path(module.__file__ or "") for module in _MODULES]
_LEFT_OUT = {"__pycache__"}


def kit_key(target: Target, toolchain: str, frozen: Python, gpu: Iterable[str] = ()) -> str:
    """Return the key of the kit that the present sources, pins and a Python give, in hex.

    Raises:
        ToolError: A tool for a GPU plugin is missing.
    """
    digest = hashlib.sha256()
    for line in _pins(target, toolchain, frozen, sorted(set(gpu))):
        digest.update(f"{line}\n".encode())
    for path in _sources():
        data = path.read_bytes()
        name = path.relative_to(freeze.PROJECT).as_posix()
        digest.update(f"{name} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def _pins(target: Target, toolchain: str, frozen: Python, gpu: Iterable[str]) -> Iterator[str]:
    yield from (target.name, target.zig_triple, toolchain)
    yield from (frozen.build, frozen.prefix)
    yield from (f"{name} {version(name)}" for name in DISTRIBUTIONS)
    yield from (llamacpp.SDIST_SHA256, llamacpp.LLAMA_CPP_COMMIT)
    yield from library_options(target, toolchain)
    yield stub_digest(target)
    for name in gpu:
        yield from (name, find_plugin(name).tools)


def _sources() -> list[Path]:
    return [
        *_files(freeze.RUNTIME.rglob("*.py")),
        *_files(freeze.PAGE.rglob("*")),
        *_BUILDERS,
        freeze.SPEC,
        SOURCE,
    ]


def _files(paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path for path in paths if path.is_file() and not _LEFT_OUT.intersection(path.parts)
    )
