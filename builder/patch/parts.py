"""The parts of a solofile by name: the launcher, its entries, and weights that lie beside it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from builder.file_range import FileRange
from builder.patch.facts import End
from runtime.container import MANIFEST_NAME, Container
from runtime.errors import DamagedFileError
from runtime.manifest import Manifest, decode
from runtime.sidecar import open_sidecar
from runtime.zip_records import COPY_AGAIN, Entry

# No entry is called so: names of models end in `.gguf`.
LAUNCHER = "launcher"


@dataclass(frozen=True, slots=True)
class Parts:
    """A solofile taken apart.

    Args:
        path: The file.
        manifest: What it tells.
        manifest_sha256: Its digest, in hex.
        entries: The entries of the solofile, in its order.
        beside: The file beside it; None where there is none.
        beside_entries: Its entries.
        ranges: Where each part lies.
        sha256s: The digest that the manifest has of each.
    """

    path: Path
    manifest: Manifest
    manifest_sha256: str
    entries: list[Entry]
    beside: Path | None
    beside_entries: list[Entry]
    ranges: dict[str, FileRange]
    sha256s: dict[str, str]

    @property
    def end(self) -> End:
        """What a patch says of it."""
        return End(self.path.name, self.manifest_sha256)

    @classmethod
    def of(cls, path: Path) -> "Parts":
        """Take a solofile apart; its parts are not read.

        Raises:
            DamagedFileError: It is none, its manifest is damaged, or its weights are missing.
            UnsupportedError: Its format is newer than this version reads.
        """
        with Container.open(path) as container:
            text = container.read(MANIFEST_NAME)
            entries = list(container.entries.values())
        manifest = decode(text, path)
        facts = list(manifest.entries)
        beside, beside_entries = None, []
        if manifest.sidecar:
            with open_sidecar(path, manifest.sidecar) as found:
                beside, beside_entries = found.path, list(found.entries.values())
            facts.append(manifest.sidecar.weights)
        ranges = {LAUNCHER: FileRange(path, 0, manifest.launcher.size, LAUNCHER)}
        for where, inside in ((path, entries), (beside, beside_entries)):
            for one in inside:
                assert where, "it has entries"
                ranges[one.name] = FileRange(where, one.offset, one.size, one.name)
        sha256s = {one.name: one.sha256 for one in facts if one.name in ranges}
        sha256s[LAUNCHER] = manifest.launcher.sha256
        return cls(
            path=path,
            manifest=manifest,
            manifest_sha256=hashlib.sha256(text).hexdigest(),
            entries=entries,
            beside=beside,
            beside_entries=beside_entries,
            ranges=ranges,
            sha256s=sha256s,
        )

    def part(self, name: str) -> FileRange:
        """Return where a part lies.

        Raises:
            DamagedFileError: There is none of that name.
        """
        if name not in self.ranges:
            raise DamagedFileError(f"{self.path} holds no {name}.", hint=COPY_AGAIN)
        return self.ranges[name]

    def counterpart(self, name: str, other: "Parts") -> str:
        """Return the part that another solofile's part most likely came of; empty without one.

        Args:
            name: The other solofile's part.
            other: The other solofile.
        """
        if name in self.ranges:
            return name
        roles = [_roles(one.manifest) for one in (self, other)]
        same = [mine for mine, role in roles[0].items() if role == roles[1].get(name)]
        return same[0] if len(same) == 1 else ""


def _roles(manifest: Manifest) -> dict[str, str]:
    roles = {facts.name: facts.role for facts in manifest.entries}
    return roles | {manifest.weights.name: "weights"}
