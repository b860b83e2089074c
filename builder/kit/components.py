"""What a kit is made of: packages, libraries and programs, with the texts of their licences.

Python packages are those whose modules are frozen; shared libraries those that lie
in the frozen folder. What is compiled into a program or a library of ours is named here.
"""

import re
import shutil
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

import msgspec

from runtime.module_file import ModuleFile

# The folder in the runtime with the texts.
TEXTS = "licences"

_TEXT_NAME = re.compile(r"(licen[cs]e|copying|copyright|notice)", re.IGNORECASE)
# Python's own library is CPython, and compiled modules belong to packages.
_LIBRARY_NAME = re.compile(r"(?!libpython|python)[^.]+(\.\d+)*\.(so(\.[\d.]+)?|dylib|dll)")
# For packages that tell no SPDX expression.
_SPDX = {
    "h11": "MIT",
    "jinja2": "BSD-3-Clause",
    "prompt_toolkit": "BSD-3-Clause",
    "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",
    "pynacl": "Apache-2.0",
    "wcwidth": "MIT",
}
_SYSTEM_TEXTS = Path("/usr/share/doc")


class Component(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing inside a kit that has a name and a licence of its own.

    Args:
        name: What its makers call it.
        version: Theirs; empty where its file does not tell.
        licence: An SPDX identifier or expression; empty where it is not known.
        purl: Where it is from, as a package URL; empty for what has none.
        files: The files it is in, where it is no package of modules.
        texts: The files with its licences, below `TEXTS` in the runtime.
    """

    name: str
    version: str = ""
    licence: str = ""
    purl: str = ""
    files: list[str] = []
    texts: list[str] = []


class _Library(msgspec.Struct, frozen=True):
    """A library of the system's: its name, licence, Debian's package, and where its version is."""

    name: str
    licence: str = ""
    package: str = ""
    version: bytes = b""


_OPENSSL = _Library("OpenSSL", "Apache-2.0", "libssl3", rb"OpenSSL (\d+\.\d+\.\d+) ")
_LIBRARIES = {
    "libcrypto": _OPENSSL,
    "libssl": _OPENSSL,
    "libffi": _Library("libffi", "MIT", "libffi8"),
    "libsqlite3": _Library("SQLite", "blessing", "libsqlite3-0"),
    "libuuid": _Library("libuuid", "BSD-3-Clause", "libuuid1"),
    "libz": _Library("zlib", "Zlib", "zlib1g", rb"deflate (\d+(?:\.\d+)+) Copyright"),
    "libexpat": _Library("Expat", "MIT", "libexpat1", rb"expat_(\d+\.\d+\.\d+)"),
}


def find_components(
    frozen: Path, others: Iterable[tuple[Component, Iterable[Path]]]
) -> list[Component]:
    """Return what a frozen folder is made of, by name, and put the texts of licences into it.

    Args:
        frozen: The folder.
        others: What else is in it or in the launcher, each with the texts of its licences.
    """
    modules = {module.partition(".")[0] for module in ModuleFile.open(str(frozen)).index.modules}
    # Compiled modules lie beside their file.
    modules |= {path.name.partition(".")[0] for path in frozen.iterdir()}
    known = packages_distributions()
    packages = {one.lower() for module in modules for one in known.get(module, [])}
    # The program that starts the archive is PyInstaller's.
    found = [_package(distribution(name)) for name in packages | {"pyinstaller"}]
    libraries: dict[_Library, list[Path]] = {}
    for path in sorted(frozen.iterdir()):
        stem = re.split(r"[.-]", path.name)[0]
        if path.is_file() and _LIBRARY_NAME.fullmatch(path.name):
            libraries.setdefault(_LIBRARIES.get(stem, _Library(path.name)), []).append(path)
    found += [_library(library, paths) for library, paths in libraries.items()]
    return [
        _with_texts(component, texts, frozen / TEXTS)
        for component, texts in sorted([*found, *others], key=lambda pair: pair[0].name.lower())
    ]


def _package(package: Distribution) -> tuple[Component, list[Path]]:
    name = package.metadata["Name"]
    texts = [
        Path(str(package.locate_file(file)))
        for file in package.files or []
        if ".dist-info" in str(file) and _TEXT_NAME.match(file.name)
    ]
    component = Component(
        name=name,
        version=package.version,
        licence=_licence(package),
        purl=f"pkg:pypi/{name.lower().replace('_', '-')}@{package.version}",
    )
    return component, texts


def _licence(package: Distribution) -> str:
    told = package.metadata.json.get("license_expression", "")
    return str(told) or _SPDX.get(package.metadata["Name"].lower(), "")


def _library(library: _Library, paths: list[Path]) -> tuple[Component, list[Path]]:
    version = re.search(library.version, paths[0].read_bytes()) if library.version else None
    component = Component(
        name=library.name,
        version=version[1].decode() if version else "",
        licence=library.licence,
        files=[path.name for path in paths],
    )
    text = _SYSTEM_TEXTS / library.package / "copyright"
    return component, [text] if library.package and text.is_file() else []


def _with_texts(component: Component, texts: Iterable[Path], folder: Path) -> Component:
    names = []
    for text in texts:
        name = f"{component.name}/{text.name}"
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(text, target)
        names.append(name)
    return msgspec.structs.replace(component, texts=names)
