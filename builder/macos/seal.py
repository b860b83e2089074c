"""An app's seal: the list of its files' digests, and the signature that holds its program to it.

The signature is an ad hoc one: it tells that nothing was changed, and not who made it.
"""

import hashlib
import os
import plistlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from builder.errors import ToolError
from builder.pypi import install_tools
from runtime.container import CHUNK_BYTES

SIGNER = "apple-platform-py==0.1.0"
_SIGNER_SCRIPT = Path(__file__).with_name("signer.py")

_SEAL = Path("_CodeSignature", "CodeResources")
_INFO = "Info.plist"

# What Apple's codesign writes for every app: which files count, and how much.
_OPTIONAL = {"optional": True, "weight": 1000.0}
_LOCALES: dict[str, Any] = {
    r"^Resources/.*\.lproj/": _OPTIONAL,
    r"^Resources/.*\.lproj/locversion.plist$": {"omit": True, "weight": 1100.0},
    r"^Resources/Base\.lproj/": {"weight": 1010.0},
}
_RULES: dict[str, Any] = {"^Resources/": True, **_LOCALES, "^version.plist$": True}
_NESTED = (
    "^(Frameworks|SharedFrameworks|PlugIns|Plug-ins|XPCServices|Helpers|MacOS|"
    "Library/(Automator|Spotlight|LoginItems))/"
)
_RULES2: dict[str, Any] = {
    r".*\.dSYM($|/)": {"weight": 11.0},
    r"^(.*/)?\.DS_Store$": {"omit": True, "weight": 2000.0},
    _NESTED: {"nested": True, "weight": 10.0},
    "^.*": True,
    r"^Info\.plist$": {"omit": True, "weight": 20.0},
    "^PkgInfo$": {"omit": True, "weight": 20.0},
    "^Resources/": {"weight": 20.0},
    **_LOCALES,
    "^[^/]+$": {"nested": True, "weight": 10.0},
    r"^embedded\.provisionprofile$": {"weight": 20.0},
    r"^version\.plist$": {"weight": 20.0},
}


def seal(contents: Path, program: Path, identifier: str) -> None:
    """List the digests of an app's resources and sign its program, which is written anew.

    Args:
        contents: The folder `Contents` of the app, complete but for the seal.
        program: The app's program, in that folder.
        identifier: Of the app.

    Raises:
        SourceError: The signer could not be installed.
        ToolError: It failed.
    """
    path = contents / _SEAL
    path.parent.mkdir()
    path.write_bytes(plistlib.dumps(code_resources(contents)))
    tool = install_tools(SIGNER.replace("==", "-"), [SIGNER])
    command = [sys.executable, _SIGNER_SCRIPT, program, identifier, contents / _INFO, path]
    completed = subprocess.run(
        [str(word) for word in command],
        env=os.environ | {"PYTHONPATH": str(tool)},
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        lines = completed.stderr.strip().splitlines() or ["it said nothing"]
        raise ToolError(f"The app could not be signed: {lines[-1]}", hint="Leave out --app.")


def code_resources(contents: Path) -> dict[str, Any]:
    """Return the list of an app's resources, with SHA-1 for old systems and SHA-256 for others."""
    files, files2 = {}, {}
    for path in sorted((contents / "Resources").iterdir()):
        sha1, sha256 = _digests(path)
        name = path.relative_to(contents).as_posix()
        files[name] = sha1
        files2[name] = {"hash2": sha256}
    return {"files": files, "files2": files2, "rules": _RULES, "rules2": _RULES2}


def _digests(path: Path) -> tuple[bytes, bytes]:
    sha1, sha256 = hashlib.sha1(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            sha1.update(chunk)
            sha256.update(chunk)
    return sha1.digest(), sha256.digest()
