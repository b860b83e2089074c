"""What Ollama calls a model: `[[HOST/]NAMESPACE/]MODEL[:TAG]`."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from builder.errors import SourceError

_HOST, _NAMESPACE, _TAG = "registry.ollama.ai", "library", "latest"
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_HOST_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(:\d+)?")


@dataclass(frozen=True, slots=True, order=True)
class OllamaName:
    """A name with all of its parts, those that Ollama adds by itself too."""

    host: str
    namespace: str
    model: str
    tag: str

    def __str__(self) -> str:
        """Return it as Ollama lists it."""
        words = [self.namespace, self.model]
        if self.host != _HOST:
            words = [self.host, *words]
        elif self.namespace == _NAMESPACE:
            words = [self.model]
        return f"{'/'.join(words)}:{self.tag}"

    @property
    def repository(self) -> str:
        """Host, namespace and model."""
        return f"{self.host}/{self.namespace}/{self.model}"

    @property
    def path(self) -> PurePosixPath:
        """Where its manifest lies among the manifests."""
        return PurePosixPath(self.repository, self.tag)

    @property
    def file_stem(self) -> str:
        """What its file would be called."""
        return self.model if self.tag == _TAG else f"{self.model}-{self.tag}"


def parse_name(text: str) -> OllamaName:
    """Return the model that `text` names.

    Raises:
        SourceError: It is no name.
    """
    path, slash, last = text.rpartition("/")
    model, colon, tag = last.partition(":")
    *rest, namespace = path.split("/") if slash else [_NAMESPACE]
    host = rest[0] if rest else _HOST
    words = [namespace, model, tag if colon else _TAG]
    if len(rest) > 1 or not _HOST_WORD.fullmatch(host) or not all(map(_WORD.fullmatch, words)):
        raise SourceError(
            f"ollama:{text} names no model.", hint="Write it as in ollama:llama3.2:3b."
        )
    return OllamaName(host, *words)
