"""Freezing the runtime with PyInstaller: one folder that needs no Python on the machine."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import runtime
from builder import console
from builder.cache.layout import scratch_path
from builder.errors import ToolError
from builder.files import scratch_folder
from builder.kit.elf import cut_unloaded, is_elf
from builder.native.llamacpp import source_folder

NAME = "solofile-runtime"
LIBRARY_FOLDER = "llama"

RUNTIME = Path(runtime.__file__).parent
PROJECT = RUNTIME.parent
TEMPLATES = PROJECT / "templates"
SPEC = Path(__file__).with_name("runtime.spec")

_START = "from runtime.__main__ import main\n\nmain()\n"

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
    # Found only where the tests' packages are, or as fast without it.
    "pygments", "wcwidth._wcwidth_c",
]  # fmt: skip

# A solofile computes on its own machine.
_UNUSED_LIBRARIES = ["*ggml-rpc*"]

# Prefixes that tell nothing of the machine they are on.
_COMMON_PREFIXES = ("/usr", "/usr/local")


def freeze(folder: Path, libraries: Path) -> None:
    """Freeze the runtime into a folder; the same sources give the same bytes.

    Args:
        folder: An existing, empty folder.
        libraries: The native llama.cpp libraries, copied into it.

    Raises:
        ToolError: This Python cannot be frozen, or PyInstaller failed.
    """
    require_shared_python()
    with scratch_folder(scratch_path("freeze")) as scratch:
        _stage(scratch)
        with console.status("Freezing the runtime"):
            _run_pyinstaller(scratch)
        frozen = scratch / "dist" / NAME
        for library in frozen.rglob("*"):
            # The program carries a note behind its last section: where its archive is.
            if library.is_file() and library.name != NAME and is_elf(library):
                cut_unloaded(library)
                _hide_prefix(library)
        shutil.copytree(frozen, folder, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(
        libraries,
        folder / LIBRARY_FOLDER,
        symlinks=True,
        ignore=shutil.ignore_patterns(*_UNUSED_LIBRARIES),
    )


def require_shared_python() -> None:
    """Check that this Python has a library that can be carried along.

    Raises:
        ToolError: It has none.
    """
    if sys.platform == "linux" and not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        raise ToolError(
            f"The Python at {sys.base_prefix} cannot be frozen, it has no shared library.",
            hint="Use one built with --enable-shared: the system's python3, or uv's.",
        )


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
            *(f"llama_cpp.{name}" for name in BINDING_MODULES),
            *runtime_modules(),
        ],
        "excludes": EXCLUDES,
        "templates": str(TEMPLATES),
    }
    (scratch / "options.json").write_text(json.dumps(options), encoding="utf-8")


def runtime_modules() -> list[str]:
    """Return the names of all modules of the runtime: its commands are imported by name."""
    paths = sorted(path.relative_to(PROJECT) for path in RUNTIME.rglob("*.py"))
    names = [".".join(path.with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in names]


def _run_pyinstaller(scratch: Path) -> None:
    # A fixed hash seed and time, or two runs would not give the same bytes.
    environment = os.environ | {
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": "315532800",
        "PYINSTALLER_CONFIG_DIR": str(scratch / "config"),
    }
    completed = subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", SPEC.name],
        cwd=scratch,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        lines = completed.stderr.strip().splitlines() or ["it said nothing"]
        raise ToolError(
            f"PyInstaller could not freeze the runtime: {lines[-1]}",
            hint="Is the environment of the builder whole?",
        )


def _hide_prefix(library: Path) -> None:
    """Overwrite the folder Python was installed in: it tells of the builder, often their name.

    Slashes take its place. Nothing moves, and a search path below it becomes `/lib`.
    """
    prefix = sys.base_prefix.encode()
    if sys.base_prefix in _COMMON_PREFIXES:
        return
    data = library.read_bytes()
    if prefix in data:
        library.write_bytes(data.replace(prefix, b"/" * len(prefix)))
