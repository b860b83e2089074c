"""What people and auditors read in a bundle, and the scripts they run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from builder import console
from builder.bundle.member import Member
from builder.bundle.volumes import SplitFile
from builder.kit.package import package_texts
from builder.pack import SBOM_NAME
from builder.terms import sentences
from runtime.container import RUNTIME_NAME, Container
from runtime.minisign import PublicKey

TEMPLATES = Path(__file__).parents[2] / "templates" / "bundle"
READMES = ("README.txt", "README.zh.txt")
_SCRIPTS = (
    "install.bat", "install.ps1", "install.sh", "verify.bat", "verify.ps1", "verify.sh",
)  # fmt: skip
# Finder starts a script that is called so; those of Linux's desktops ask.
_STARTS = {"linux": "start.sh", "macos": "start.command"}
# Older programs of Windows take a text for one of their own alphabet without this mark.
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def write_documents(folder: Path, members: Sequence[Member]) -> None:
    """Write bills of materials and licences, each below the name of its solofile.

    Raises:
        DamagedFileError: A solofile changed meanwhile.
    """
    for name in ("sbom", "licences"):
        (folder / name).mkdir()
    for member in members:
        with Container.open(member.path) as container:
            if SBOM_NAME in container.entries:
                data = container.read(SBOM_NAME)
                (folder / "sbom" / f"{member.path.name}.cdx.json").write_bytes(data)
            text = "".join(_licences(container, member))
        (folder / "licences" / f"{member.path.name}.txt").write_bytes(text.encode())


def write_readmes(
    folder: Path,
    members: Sequence[Member],
    splits: Sequence[SplitFile],
    key: PublicKey | None,
    size: int,
) -> None:
    """Write what to do with the bundle, in English and Chinese.

    Args:
        folder: The bundle.
        members: Its solofiles.
        splits: What of it is in parts.
        key: Who signs it; None where nobody does.
        size: The bytes that a machine needs at most.
    """
    titles = [one.manifest.branding.title or one.manifest.name for one in members]
    terms = [sentence for one in members for sentence in sentences(one.manifest.terms)]
    values = {
        "title": ", ".join(dict.fromkeys(titles)),
        "solofiles": [
            {"file": one.path.name, "target": one.manifest.kit.target} for one in members
        ],
        "weights": dict.fromkeys(one.weights.name for one in members if one.weights),
        "families": {one.manifest.kit.target.partition("-")[0] for one in members},
        "parts": [_named(split) for split in splits],
        "size": console.human_bytes(size),
        "key": key,
        "terms": list(dict.fromkeys(terms)),
    }
    for name in READMES:
        mark = _MARK if name != READMES[0] else ""
        _write(folder / name, mark + _rendered(name, values))


def write_scripts(folder: Path, members: Sequence[Member]) -> None:
    """Write what checks the bundle, copies it and starts it: the same scripts in each bundle."""
    families = {one.manifest.kit.target.partition("-")[0] for one in members}
    starts = [name for family, name in _STARTS.items() if family in families]
    for name in (*_SCRIPTS, *starts):
        template = "start.sh" if name in starts else name
        text = _rendered(template, {})
        # cmd.exe may misread files with the line ends of other systems.
        _write(folder / name, text, newline="\r\n" if name.endswith(".bat") else "\n")
        if name.endswith((".sh", ".command")):
            (folder / name).chmod(0o755)


def _named(split: SplitFile) -> dict[str, Any]:
    first, last = (part.name.rpartition(".")[2] for part in (split.parts[0], split.parts[-1]))
    return {"file": split.name, "count": len(split.parts), "first": first, "last": last}


def _licences(container: Container, member: Member) -> list[str]:
    own = [facts.name for facts in member.manifest.entries if facts.role == "licence"]
    texts = [(name, container.read(name)) for name in own]
    package = b"".join(container.chunks(RUNTIME_NAME))
    texts += [
        (f"runtime: {name}", text) for name, text in sorted(package_texts(package, "licences"))
    ]
    return [
        f"==== {name} ====\n{text.decode('utf-8', errors='replace').rstrip()}\n\n"
        for name, text in texts
    ]


def _rendered(name: str, values: dict[str, Any]) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    return environment.get_template(name).render(values)


def _write(path: Path, text: str, newline: str = "\n") -> None:
    path.write_text(text, encoding="utf-8", newline=newline)
