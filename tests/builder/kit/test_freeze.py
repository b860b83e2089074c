"""What is in the kit that the present sources give."""

import subprocess
import sys
import tarfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import zstandard

from builder.kit.building import build_kit
from builder.kit.compiled_in import compiled_in
from builder.kit.components import TEXTS, find_components
from builder.kit.freeze import (
    BINDING_MODULES,
    LIBRARY_FOLDER,
    NAME,
    PROJECT,
    freeze,
    runtime_modules,
)
from builder.kit.kit import Kit
from builder.kit.python import own_python
from builder.native.llamacpp import native_libraries
from builder.native.start_library import start_libraries
from builder.targets import host_target
from runtime import __version__
from runtime.module_file import ModuleFile
from runtime.package import HEADER_BYTES, PackageHeader
from runtime.user_folders import user_cache_dir

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def kit() -> Kit:
    return build_kit(host_target())


@pytest.fixture(scope="module")
def frozen(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime's folder as the launcher unpacks it."""
    folder = tmp_path_factory.mktemp("frozen")
    with kit.runtime_pkg.open("rb") as file:
        file.seek(HEADER_BYTES)
        with (
            zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as plain,
            tarfile.open(fileobj=plain, mode="r|") as archive,
        ):
            archive.extractall(folder, filter="fully_trusted")
    return folder


@pytest.fixture(scope="module")
def modules(frozen: Path) -> set[str]:
    """The names of the Python modules inside."""
    return set(ModuleFile.open(str(frozen)).index.modules)


def test_header(kit: Kit, frozen: Path) -> None:
    """The package's header tells the sizes of what is in it, and the lowest glibc."""
    header = PackageHeader.unpack(kit.runtime_pkg.read_bytes()[:HEADER_BYTES])
    files = [path for path in frozen.rglob("*") if path.is_file() and not path.is_symlink()]

    assert header.unpacked_bytes == sum(path.stat().st_size for path in files)
    assert header.compressed_bytes == kit.runtime_pkg.stat().st_size - HEADER_BYTES
    assert ".".join(map(str, header.lowest_system or ())) == kit.info.glibc


def test_holds_the_runtime(modules: set[str]) -> None:
    """Every module of the runtime is inside, those imported by name too."""
    assert set(runtime_modules()) <= modules


def test_holds_what_they_import(modules: set[str], frozen: Path) -> None:
    """The standard library is there, with what Python itself begins with, and compiled modules."""
    extensions = ModuleFile.open(str(frozen)).index.extensions

    assert {"asyncio", "encodings.utf_8", "jinja2.lexer", "re._compiler"} <= modules
    assert {"_asyncio", "msgspec._core"} <= set(extensions)
    assert all((frozen / place).is_file() for place in extensions.values())


def test_holds_only_the_bindings_ctypes_layer(modules: set[str]) -> None:
    """Of llama_cpp, the ctypes layer is inside and nothing else."""
    binding = {name for name in modules if name.split(".")[0] == "llama_cpp"}

    assert binding == {"llama_cpp", *(f"llama_cpp.{name}" for name in BINDING_MODULES)}


@pytest.mark.parametrize(
    "name",
    ["builder", "numpy", "pydantic", "diskcache", "tkinter", "unittest", "_pytest", "pip",
     "setuptools", "websockets", "uvloop", "httptools", "yaml", "trio"],
)  # fmt: skip
def test_leaves_out(modules: set[str], frozen: Path, name: str) -> None:
    """What a solofile does not need is not in it."""
    assert name not in {module.split(".")[0] for module in modules}
    assert not (frozen / name).exists()


def test_holds_the_libraries(frozen: Path) -> None:
    """The native libraries but for RPC are inside as they were built, links as links."""
    built = native_libraries(host_target())
    for path in built.iterdir():
        copy = frozen / LIBRARY_FOLDER / path.name
        if "rpc" in path.name:
            assert not copy.exists()
            continue
        assert copy.is_symlink() == path.is_symlink()
        assert copy.read_bytes() == path.read_bytes()


def test_holds_the_page(frozen: Path) -> None:
    """The chat page is inside."""
    assert (frozen / "templates" / "page" / "index.html").is_file()


def test_hands_out_no_gpl_library(frozen: Path) -> None:
    """GNU readline is left out, and with it what it alone needs."""
    assert [*frozen.rglob("libreadline*"), *frozen.rglob("libtinfo*")] == []


def test_lists_what_it_is_made_of(kit: Kit, frozen: Path, modules: set[str]) -> None:
    """Every package and library inside is a component, with its licence and the text of that."""
    components = {one.name.lower(): one for one in kit.info.components}
    owners = packages_distributions()
    tops = {module.partition(".")[0] for module in modules}
    packages = {owner.lower() for top in tops for owner in owners.get(top, [])}
    assert {"msgspec", "starlette", "pynacl"} <= packages
    assert packages <= components.keys()
    files = {name for one in components.values() for name in one.files}
    inside = {path.name for path in frozen.iterdir() if ".so." in path.name}
    assert {name for name in inside if not name.startswith("libpython")} <= files
    assert [one.name for one in components.values() if not one.licence] == []
    for name in [*packages, "llama.cpp", "zstd", "pyinstaller"]:
        assert components[name].version, name
        assert components[name].texts, name
    texts = [frozen / TEXTS / name for one in components.values() for name in one.texts]
    assert all(path.stat().st_size > 100 for path in texts)


def test_tells_nothing_of_the_builder(kit: Kit, frozen: Path) -> None:
    """No file names a folder of the machine it was made on."""
    folders = {str(PROJECT), str(user_cache_dir()), sys.prefix, sys.base_prefix, str(Path.home())}
    secrets = [
        folder.encode() for folder in folders if folder not in ("/root", "/usr", "/usr/local")
    ]
    files = [path for path in frozen.rglob("*") if path.is_file()]
    for path in [kit.launcher, *files]:
        data = path.read_bytes()
        assert [secret for secret in [*secrets, b"solofile-freeze-"] if secret in data] == []


def test_sizes(kit: Kit, frozen: Path) -> None:
    """A kit stays small: what all files but the model add to a solofile."""
    python = [path for path in frozen.rglob("*") if LIBRARY_FOLDER not in path.parts]

    assert kit.launcher.stat().st_size < MEBIBYTE // 4
    assert kit.runtime_pkg.stat().st_size < 16 * MEBIBYTE
    assert sum(path.stat().st_size for path in python if path.is_file()) < 32 * MEBIBYTE


def test_starts_without_anything(frozen: Path) -> None:
    """The frozen program runs with an empty environment."""
    completed = subprocess.run(
        [frozen / NAME, "--version"], env={}, capture_output=True, text=True, check=True
    )

    assert completed.stdout == f"solofile {__version__}\n"


def test_same_bytes_twice(kit: Kit, frozen: Path, tmp_path: Path) -> None:
    """Freezing once more gives the same files, and the same components."""
    own = start_libraries(host_target())
    freeze(tmp_path, native_libraries(host_target()), own_python(), own=own)
    others = compiled_in(host_target(), "zig", own_python().version)
    assert find_components(tmp_path, others) == kit.info.components
    for path in frozen.rglob("*"):
        if path.is_file():
            again = tmp_path / path.relative_to(frozen)
            assert again.read_bytes() == path.read_bytes(), path.name
