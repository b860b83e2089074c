"""A vendored folder: what its manifest lists, and files of it that were checked.

`build.py` reads it before there is an environment, so it imports the standard library alone.
"""

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from runtime.errors import DamagedFileError, UnsupportedError, UsageError

MANIFEST_NAME = "vendor.json"
FORMAT_VERSION = 1
VARIABLE = "SOLOFILE_OFFLINE"

# The parts, each a folder of its own.
PROJECT, BUILDER, SOURCES, LIBRARIES = "solofile", "builder", "sources", "libraries"
COMPILERS, CONVERTER, KITS, MODELS = "compilers", "converter", "kits", "models"

_CHUNK_BYTES = 4 << 20
_checked: set[Path] = set()


@dataclass(frozen=True)
class VendoredFile:
    """One file.

    Args:
        name: Its path in the folder of its part.
        size: In bytes.
        sha256: In hex.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """What belongs together.

    Args:
        key: What it was made for; another one makes it anew.
        files: What it holds.
    """

    key: str
    files: list[VendoredFile]

    @property
    def size(self) -> int:
        """What its files take, in bytes."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class VendorFolder:
    """A folder that `vendor` made.

    Args:
        path: Where it lies.
        solofile: The version of the builder that made it.
        python: The version of Python that its packages are for, as in `3.11`.
        system: The system that they are for, as in `linux-x86_64`.
        parts: What is in it, by the names of its folders.
    """

    path: Path
    solofile: str
    python: str
    system: str
    parts: Mapping[str, Part] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return its manifest."""
        facts = {"format_version": FORMAT_VERSION} | asdict(self)
        del facts["path"]
        return json.dumps(facts, indent=1).encode() + b"\n"

    def names(self, part: str) -> "list[str]":
        """Return what a part's files are called; nothing where there is no such part."""
        return [file.name for file in self.parts[part].files] if part in self.parts else []

    def require_sound(self, part: str) -> None:
        """Check every byte of a part.

        Raises:
            DamagedFileError: A file is missing or not as it was.
        """
        for name in self.names(part):
            self.file(part, name)

    def file(self, part: str, name: str) -> "Path | None":
        """Return a file of a part by its name; None where there is none.

        Raises:
            DamagedFileError: It is missing or not as it was.
        """
        for file in self.parts[part].files if part in self.parts else []:
            if file.name == name:
                return self._checked(part, file)
        return None

    def distribution(self, part: str, requirement: str, suffix: str) -> "Path | None":
        """Return the file of a pinned package; None where there is none.

        Args:
            part: Where to look.
            requirement: As in `six==1.16.0`.
            suffix: Of the file's name: `.whl` or `.tar.gz`.

        Raises:
            DamagedFileError: It is missing or not as it was.
        """
        name, _, version = requirement.partition("==")
        for file in self.names(part):
            found, _, rest = file.removesuffix(suffix).partition("-")
            is_version = rest == version or rest.startswith(f"{version}-")
            if file.endswith(suffix) and _plain(found) == _plain(name) and is_version:
                return self.file(part, file)
        return None

    def require_python(self) -> None:
        """Check that its packages are for the Python that runs this.

        Raises:
            UnsupportedError: They are for another.
        """
        if (self.python, self.system) != (own_python(), own_system()):
            raise UnsupportedError(
                f"What {self.path} holds is for Python {self.python} on {self.system}, and this is "
                f"Python {own_python()} on {own_system()}.",
                hint=f"Use Python {self.python} there, or let this Python run `vendor` on such a "
                "system.",
            )

    def pip_options(self, part: str) -> list[str]:
        """Return what lets pip take a part's wheels and nothing else; all are checked.

        Raises:
            DamagedFileError: One is missing or not as it was.
            UnsupportedError: They are for another Python or system.
        """
        self.require_python()
        self.require_sound(part)
        return ["--no-index", "--find-links", str(self.path / part)]

    def _checked(self, part: str, file: VendoredFile) -> Path:
        path = self.path / part / file.name
        if path not in _checked:
            if not path.is_file():
                raise _damaged(path, "is missing")
            if path.stat().st_size != file.size or _sha256(path) != file.sha256:
                raise _damaged(path, "is damaged")
            _checked.add(path)
        return path


def read_folder(path: Path) -> VendorFolder:
    """Return the vendored folder at a path.

    Raises:
        DamagedFileError: Its manifest is damaged.
        UnsupportedError: It was made by a newer version.
        UsageError: There is none.
    """
    manifest = path / MANIFEST_NAME
    try:
        facts = json.loads(manifest.read_bytes())
        if facts.pop("format_version") > FORMAT_VERSION:
            raise UnsupportedError(
                f"{path} was vendored by solofile {facts.get('solofile')}, which is newer.",
                hint="Use the builder that lies in it.",
            )
        parts = {
            name: Part(part["key"], [VendoredFile(**file) for file in part["files"]])
            for name, part in facts.pop("parts").items()
        }
        return VendorFolder(path, parts=parts, **facts)
    except OSError as error:
        raise UsageError(
            f"{path} is no vendored folder: it holds no {MANIFEST_NAME}.",
            hint="`vendor DIR` makes one where there is a network.",
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(manifest, "is damaged") from error


def offline_folder() -> "VendorFolder | None":
    """Return the folder that this builder is to work from; None where it may use the network.

    Raises:
        DamagedFileError: Its manifest is damaged.
        UsageError: It is none.
    """
    path = os.environ.get(VARIABLE)
    return read_folder(Path(path)) if path else None


def pip_environment() -> "dict[str, str]":
    """Return this process's environment without what would send pip elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


def own_python() -> str:
    """Return the version of this Python that packages are made for, as in `3.11`."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def own_system() -> str:
    """Return the system that packages are made for, as in `linux-x86_64`."""
    return f"{sys.platform}-{platform.machine().lower()}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _damaged(path: Path, how: str) -> DamagedFileError:
    return DamagedFileError(
        f"{path} {how}.", hint="Copy it again, or make the folder anew with `vendor`."
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
