"""Writing the file of frozen modules that `runtime/module_file.py` reads."""

import marshal
import zipfile
from collections.abc import Iterable
from pathlib import Path
from types import CodeType

from runtime.module_file import SIZE_BYTES, Index

# What precedes the code in a .pyc file: magic number, flags, and a digest or time.
_PYC_HEADER_BYTES = 16
_PYC_ENDINGS = ("/__init__.pyc", ".pyc")


def write_module_file(
    path: Path,
    modules: Iterable[tuple[str, bool, CodeType]],
    extensions: dict[str, str],
    patterns: Path,
) -> None:
    """Write modules into one file; the same modules give the same bytes.

    Args:
        path: The file to write.
        modules: Their names, whether each is a package, and their code.
        extensions: Where compiled modules lie in the folder of the program, by their names.
        patterns: What `builder.kit.patterns` wrote.
    """
    index = Index({}, dict(sorted(extensions.items())), marshal.loads(patterns.read_bytes()))
    codes = []
    offset = 0
    for name, is_package, code in sorted(modules, key=lambda module: module[0]):
        data = marshal.dumps(code)
        index.modules[name] = (is_package, offset, len(data))
        codes.append(data)
        offset += len(data)
    packed = marshal.dumps((index.modules, index.extensions, index.patterns))
    path.write_bytes(len(packed).to_bytes(SIZE_BYTES, "little") + packed + b"".join(codes))


def modules_in_zip(path: Path) -> Iterable[tuple[str, bool, CodeType]]:
    """Yield the modules of a zip of .pyc files, as `write_module_file` takes them."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.namelist():
            place = next(entry.removesuffix(end) for end in _PYC_ENDINGS if entry.endswith(end))
            code = marshal.loads(archive.read(entry)[_PYC_HEADER_BYTES:])
            yield place.replace("/", "."), entry.endswith(_PYC_ENDINGS[0]), code
