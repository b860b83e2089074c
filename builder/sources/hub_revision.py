"""One commit of a hub repository: what the hub tells of it, and what is kept of that."""

import re
from typing import TYPE_CHECKING

import msgspec

from builder.files import explained_disk_errors
from builder.sources.card import NAME as CARD_NAME
from builder.sources.card import Card
from builder.sources.hub_download import repository_folder
from builder.sources.papers import MAX_BYTES, is_licence

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

COMMIT = re.compile(r"[0-9a-f]{40}")


class Revision(msgspec.Struct, frozen=True):
    """One commit of a repository.

    Args:
        commit: Its full name.
        sizes: Its files with their sizes in bytes.
        card: What the hub tells of its card, without the card's text.
        gated: Whom the hub gives it to: `auto` to all who accept its terms, `manual` to those whom
            its owners let in; empty to everybody.
        is_listed: Whether the hub has told all of that, and not the cache a part of it.
    """

    commit: str
    sizes: dict[str, int]
    card: Card = msgspec.field(default_factory=Card)
    gated: str = ""
    is_listed: bool = False

    def paper_names(self) -> list[str]:
        """Return its licences and its card."""
        return sorted(
            name
            for name, size in self.sizes.items()
            if (is_licence(name) or name == CARD_NAME) and size <= MAX_BYTES
        )


def revision_of(info: "ModelInfo") -> Revision:
    """Return what the hub tells."""
    tags = [tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:")]
    told = vars(info.card_data) if info.card_data else {}
    return Revision(
        commit=info.sha or "",
        sizes={sibling.rfilename: sibling.size or 0 for sibling in info.siblings or []},
        card=Card.of({"license": tags} | {name: value for name, value in told.items() if value}),
        gated=info.gated or "",
        is_listed=True,
    )


def remember(repository: str, name: str, revision: Revision) -> None:
    """Keep in the hub's cache what a commit holds, and which commit a branch stood for.

    Args:
        repository: `OWNER/NAME`.
        name: The branch, tag or commit that was asked for; empty for the main branch.
        revision: What it stood for.

    Raises:
        DiskError: The cache is full or not writable.
    """
    home = repository_folder(repository)
    listing = home / "listings" / f"{revision.commit}.json"
    ref = home / "refs" / (name or "main")
    with explained_disk_errors(home):
        if revision.is_listed:
            listing.parent.mkdir(parents=True, exist_ok=True)
            listing.write_bytes(msgspec.json.encode(revision))
        if not COMMIT.fullmatch(name):
            ref.parent.mkdir(parents=True, exist_ok=True)
            ref.write_text(revision.commit, encoding="utf-8")


def recall(repository: str, commit: str) -> Revision | None:
    """Return what is known of a commit that was fetched from before."""
    listing = repository_folder(repository) / "listings" / f"{commit}.json"
    try:
        return msgspec.json.decode(listing.read_bytes(), type=Revision)
    except (OSError, msgspec.DecodeError):
        return None
