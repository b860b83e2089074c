"""What tests put into a solofile."""

from pathlib import Path
from typing import Any

from builder.contents import Contents
from builder.gguf.facts import read_facts
from builder.kit.kit import Kit
from runtime.manifest import Origin


def contents_of(
    kit: Kit, model: Path, name: str = "Model", weights_name: str = "model.gguf", **others: Any
) -> Contents:
    """Return the contents of a solofile with a model.

    Args:
        kit: The kit.
        model: A GGUF of one file.
        name: What the model is called.
        weights_name: Its entry's name.
        others: What goes beside it, by field of `Contents`.
    """
    return Contents(
        name=name,
        kit=kit,
        weights=model,
        weights_name=weights_name,
        weights_sha256="",
        model=read_facts([model], name=name),
        origin=Origin(kind="file", files=[]),
        **others,
    )
