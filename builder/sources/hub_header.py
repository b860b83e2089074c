"""Reading the header of a GGUF in a hub repository without downloading the file."""

import io
from dataclasses import dataclass
from pathlib import Path

from builder.errors import SourceError
from builder.gguf.header import Header, parse_header
from builder.sources.hub_download import TIMEOUT_S
from builder.sources.hub_errors import explained_hub_errors
from builder.sources.patience import patiently

BLOCK_BYTES = 2 << 20


@dataclass(frozen=True, slots=True)
class HubHeader:
    """A header of a file on the hub.

    Args:
        header: What it says.
        data: Its bytes.
        size: How long the whole file is, in bytes.
    """

    header: Header
    data: bytes
    size: int

    def write_outline(self, path: Path) -> None:
        """Write a file with the header and a hole instead of the data, which takes no room."""
        with path.open("wb") as file:
            file.write(self.data)
            file.truncate(self.size)


def read_hub_header(repository: str, name: str, commit: str, size: int) -> HubHeader:
    """Return a file's header, of which only the first few megabytes are fetched.

    Raises:
        DamagedFileError: It is no GGUF.
        SourceError: The hub is unreachable or refuses.
    """
    with explained_hub_errors(repository):
        file = _RemoteFile(repository, name, commit, size)
        header = parse_header(file, size, name)
    return HubHeader(header, file.getvalue()[: header.data_offset], size)


class _RemoteFile(io.BytesIO):
    """The beginning of a file of the hub, which grows as it is read."""

    def __init__(self, repository: str, name: str, commit: str, size: int) -> None:
        from huggingface_hub import hf_hub_url

        super().__init__()
        self._url = hf_hub_url(repository, name, revision=commit)
        self._name = name
        self._size = size

    def read(self, count: int | None = -1) -> bytes:
        end = self._size if count is None or count < 0 else min(self.tell() + count, self._size)
        while (have := self.getbuffer().nbytes) < end:
            self._fetch(have, min(max(end, have + BLOCK_BYTES), self._size))
        return super().read(count)

    def _fetch(self, start: int, end: int) -> None:
        content = patiently(lambda: self._ask(start, end))
        place = self.tell()
        self.seek(start)
        self.write(content)
        self.seek(place)

    def _ask(self, start: int, end: int) -> bytes:
        from huggingface_hub.utils._headers import build_hf_headers
        from huggingface_hub.utils._http import get_session, hf_raise_for_status

        headers = build_hf_headers() | {"Range": f"bytes={start}-{end - 1}"}
        with get_session().stream("GET", self._url, headers=headers, timeout=TIMEOUT_S) as answer:
            hf_raise_for_status(answer)
            if answer.status_code != 206:
                raise SourceError(f"The hub does not give parts of {self._name}.")
            content = answer.read()
        if len(content) != end - start:
            raise SourceError(f"The hub does not give parts of {self._name}.")
        return content
