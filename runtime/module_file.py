"""The frozen modules in one mapped file: found by their names, without a search.

PyInstaller's importer opens its archive anew for each of some 400 modules, and keeps a part of the
standard library in a zip. Only modules that Python itself has loaded by then are used here.
"""

import _sre  # type: ignore[import-not-found] # in no stub
import marshal
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader
from mmap import ACCESS_READ, mmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any

    Patterns = dict[tuple[str | bytes, int], tuple[Any, ...]]

FILE_NAME = "modules.bin"
# The size of the index stands before it, little-endian; the code follows it.
SIZE_BYTES = 8


class Index:
    """What is where.

    Args:
        modules: By name: whether it is a package, and where its code begins behind the index and
            how long it is, in bytes.
        extensions: Where compiled modules lie in the folder of the program, by name.
        patterns: Compiled regular expressions, by text and flags: what `_sre.compile` takes.
    """

    def __init__(
        self,
        modules: dict[str, tuple[bool, int, int]],
        extensions: dict[str, str],
        patterns: "Patterns",
    ) -> None:
        self.modules = modules
        self.extensions = extensions
        self.patterns = patterns


class ModuleFile:
    """An importer of what is in the file."""

    def __init__(self, data: mmap, folder: str) -> None:
        self._data = data
        self._begin = SIZE_BYTES + int.from_bytes(data[:SIZE_BYTES], "little")
        self.index = Index(*marshal.loads(data[SIZE_BYTES : self._begin]))
        self._folder = folder

    @classmethod
    def open(cls, folder: str) -> "ModuleFile":
        """Map the file that lies in the folder of the program."""
        with open(f"{folder}/{FILE_NAME}", "rb") as file:  # noqa: PTH123 - pathlib comes later
            return cls(mmap(file.fileno(), 0, access=ACCESS_READ), folder)

    def install(self) -> None:
        """Ask this importer before all others, and take the patterns from here."""
        sys.meta_path.insert(0, self)
        from re import _compiler as compiler  # type: ignore[attr-defined] # in no stub

        compile_ = compiler.compile
        patterns = self.index.patterns

        def find(pattern: "Any", flags: int = 0) -> "Any":
            found = patterns.get((pattern, flags)) if isinstance(pattern, str | bytes) else None
            return _sre.compile(pattern, *found) if found else compile_(pattern, flags)

        compiler.compile = find

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> ModuleSpec | None:
        """Return what the import system is to know of a module; None for one that is not here."""
        found = self.index.modules.get(name)
        if found is None:
            return self._find_extension(name)
        place = f"{self._folder}/{name.replace('.', '/')}"
        is_package = found[0]
        origin = f"{place}/__init__.pyc" if is_package else f"{place}.pyc"
        # importlib.abc is not imported yet.
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True
        spec.cached = origin
        if is_package:
            spec.submodule_search_locations = [place]
        return spec

    def _find_extension(self, name: str) -> ModuleSpec | None:
        found = self.index.extensions.get(name)
        if found is None:
            return None
        path = f"{self._folder}/{found}"
        spec = ModuleSpec(name, ExtensionFileLoader(name, path), origin=path)
        spec.has_location = True
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave that to the import system."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run a module's code."""
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name: str) -> "CodeType":
        """Return a module's code."""
        _, offset, size = self.index.modules[name]
        begin = self._begin + offset
        code: CodeType = marshal.loads(self._data[begin : begin + size])
        return code
