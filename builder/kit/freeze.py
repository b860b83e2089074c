"""Freezing the runtime with PyInstaller: one folder that needs no Python on the machine."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import runtime
from builder import console
from builder.cache.layout import scratch_path
from builder.errors import ToolError
from builder.files import scratch_folder
from builder.kit.elf import cut_unloaded, is_elf
from builder.kit.python import Python
from builder.native.llamacpp import source_folder

NAME = "solofile-runtime"
_PATTERNS = "patterns.bin"
LIBRARY_FOLDER = "llama"
# What loads the libraries does not look there.
GPU_FOLDER = f"{LIBRARY_FOLDER}/gpu"

RUNTIME = Path(runtime.__file__).parent
PROJECT = RUNTIME.parent
PAGE = PROJECT / "templates" / "page"
SPEC = Path(__file__).with_name("runtime.spec")
PATTERNS = Path(__file__).with_name("patterns.py")

_START = """\
import sys

from runtime.module_file import ModuleFile

ModuleFile.open(sys._MEIPASS).install()

from runtime.__main__ import main

main()
"""

# The binding's ctypes layer. The rest of the package, its __init__ above all, is left out.
BINDING_MODULES = ("llama_cpp", "mtmd_cpp", "_ctypes_extensions")

# uvicorn picks these by name.
_PICKED_BY_NAME = [
    "uvicorn.lifespan.off",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
]

# What nothing the runtime does needs, although some module mentions it.
EXCLUDES = [
    "PyInstaller", "_pytest", "anyio._backends._trio", "anyio.pytest_plugin", "builder",
    "diskcache", "dotenv", "httptools", "numpy", "packaging", "pip", "pkg_resources", "pydantic",
    "setuptools", "sniffio", "trio", "uvloop", "watchfiles", "websockets", "wsproto", "yaml",
    "bz2", "curses", "doctest", "lib2to3", "lzma", "pydoc", "smtplib", "test", "tkinter",
    "unittest", "_codecs_cn", "_codecs_hk", "_codecs_iso2022", "_codecs_jp", "_codecs_kr",
    "_codecs_tw", "_multibytecodec",
    # It is GPL, so it is not ours to hand out.
    "readline",
    # PyNaCl's C module needs their C module alone.
    "cffi", "pycparser",
    # Found only where the tests' packages are, or as fast without it.
    "pygments", "wcwidth._wcwidth_c",
]  # fmt: skip

# A solofile computes on its own machine.
_UNUSED_LIBRARIES = ["*ggml-rpc*"]

# Prefixes that tell nothing of the machine they are on.
_COMMON_PREFIXES = ("/usr", "/usr/local")


def freeze(
    folder: Path,
    libraries: Path,
    python: Python,
    *,
    own: Sequence[Path] = (),
    plugins: Sequence[Path] = (),
) -> None:
    """Freeze the runtime into a folder; the same sources give the same bytes.

    Args:
        folder: An existing, empty folder.
        libraries: The native llama.cpp libraries, copied into it.
        python: What is frozen, and freezes.
        own: Libraries of our own that lie beside them.
        plugins: More libraries, for GPUs.

    Raises:
        ToolError: PyInstaller failed.
    """
    with scratch_folder(scratch_path("freeze")) as scratch:
        _stage(scratch)
        with console.status("Freezing the runtime"):
            _compile_patterns(scratch, python)
            _run_pyinstaller(scratch, python)
        frozen = scratch / "dist" / NAME
        for library in frozen.rglob("*"):
            # The program carries a note behind its last section: where its archive is.
            if library.is_file() and library.name != NAME and is_elf(library):
                cut_unloaded(library)
                _hide_prefix(library, python)
        shutil.copytree(frozen, folder, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(
        libraries,
        folder / LIBRARY_FOLDER,
        symlinks=True,
        ignore=shutil.ignore_patterns(*_UNUSED_LIBRARIES),
    )
    for library in own:
        shutil.copy(library, folder / LIBRARY_FOLDER)
    for plugin in plugins:
        (folder / GPU_FOLDER).mkdir(exist_ok=True)
        shutil.copy(plugin, folder / GPU_FOLDER)


def _stage(scratch: Path) -> None:
    """Lay out what PyInstaller is to read, besides the runtime itself."""
    binding = scratch / "binding" / "llama_cpp"
    binding.mkdir(parents=True)
    (binding / "__init__.py").touch()
    for name in BINDING_MODULES:
        shutil.copy(source_folder() / "llama_cpp" / f"{name}.py", binding)
    (scratch / "start.py").write_text(_START, encoding="utf-8")
    shutil.copy(SPEC, scratch)
    options = {
        "name": NAME,
        "paths": [str(PROJECT), str(binding.parent)],
        "hidden_imports": [
            *_PICKED_BY_NAME,
            # What PyNaCl's C module imports.
            "_cffi_backend",
            *(f"llama_cpp.{name}" for name in BINDING_MODULES),
            *runtime_modules(),
        ],
        "excludes": EXCLUDES,
        "page": str(PAGE),
        "patterns": _PATTERNS,
    }
    (scratch / "options.json").write_text(json.dumps(options), encoding="utf-8")


def runtime_modules() -> list[str]:
    """Return the names of all modules of the runtime: its commands are imported by name."""
    paths = sorted(path.relative_to(PROJECT) for path in RUNTIME.rglob("*.py"))
    names = [".".join(path.with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in names]


def _compile_patterns(scratch: Path, python: Python) -> None:
    names = [name for name in runtime_modules() if name != "runtime.__main__"]
    command = [str(PATTERNS), str(scratch / _PATTERNS), str(PROJECT), *names]
    completed = python.run(command, scratch, {})
    if completed.returncode:
        lines = completed.stderr.strip().splitlines() or ["it said nothing"]
        raise ToolError(
            f"The runtime's modules cannot be imported: {lines[-1]}",
            hint="Is the environment of the builder whole?",
        )


def _run_pyinstaller(scratch: Path, python: Python) -> None:
    # A fixed hash seed and time, or two runs would not give the same bytes.
    environment = {
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": "315532800",
        "PYINSTALLER_CONFIG_DIR": str(scratch / "config"),
    }
    command = ["-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", SPEC.name]
    completed = python.run(command, scratch, environment)
    if completed.returncode:
        lines = completed.stderr.strip().splitlines() or ["it said nothing"]
        raise ToolError(
            f"PyInstaller could not freeze the runtime: {lines[-1]}",
            hint="Is the environment of the builder whole?",
        )


def _hide_prefix(library: Path, python: Python) -> None:
    """Overwrite the folder Python was installed in: it tells of the builder, often their name.

    Slashes take its place. Nothing moves, and a search path below it becomes `/lib`. A version at
    its end stays: linkers let a text that is the end of another lie inside that one.
    """
    prefix = python.prefix
    if prefix in _COMMON_PREFIXES:
        return
    kept = python.version if prefix.endswith(python.version) else ""
    found, data = prefix.encode(), library.read_bytes()
    if found in data:
        hidden = f"{'/' * (len(found) - len(kept))}{kept}".encode()
        library.write_bytes(data.replace(found, hidden))
