"""What the tests of embedded companions put into a solofile."""

from pathlib import Path
from typing import Any

from builder.contents import Contents
from builder.gguf.facts import read_facts
from builder.kit.kit import Kit
from runtime.manifest import Origin


def contents_of(kit: Kit, model: Path, **companions: Any) -> Contents:
    """Return the contents of a solofile with a model.

    Args:
        kit: The kit.
        model: A GGUF of one file.
        companions: What goes beside it, by field of `Contents`.
    """
    return Contents(
        name="Model",
        kit=kit,
        weights=model,
        weights_name="model.gguf",
        weights_sha256="",
        model=read_facts([model], name="Model"),
        origin=Origin(kind="file", files=[]),
        **companions,
    )
