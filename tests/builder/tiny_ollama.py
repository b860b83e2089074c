"""An Ollama store of the tests' own, laid out as Ollama does it."""

import hashlib
import json
import os
from pathlib import Path

_KINDS = "application/vnd.ollama.image."


class TinyOllama:
    """A store in an existing folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs").mkdir()
        (folder / "manifests").mkdir()

    def add(self, name: str, layers: list[tuple[str, bytes | Path]]) -> Path:
        """Add `HOST/NAMESPACE/MODEL/TAG`, with files hard-linked, and return its manifest."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": self._layer("config", b'{"model_format": "gguf"}'),
            "layers": [self._layer(kind, content) for kind, content in layers],
        }
        path = self.folder / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(manifest), encoding="utf-8")
        return path

    def blob(self, content: bytes | Path) -> Path:
        """Return where a blob lies."""
        data = content.read_bytes() if isinstance(content, Path) else content
        return self.folder / "blobs" / f"sha256-{hashlib.sha256(data).hexdigest()}"

    def _layer(self, kind: str, content: bytes | Path) -> dict[str, object]:
        path = self.blob(content)
        if not path.exists():
            if isinstance(content, Path):
                os.link(content, path)
            else:
                path.write_bytes(content)
        digest = path.name.replace("-", ":")
        return {"mediaType": _KINDS + kind, "digest": digest, "size": path.stat().st_size}
