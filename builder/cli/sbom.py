"""`sbom`: the bill of materials of a solofile."""

from pathlib import Path

import click

from builder import console
from builder.cli.command import Command


@click.command(cls=Command, examples=["sbom chat", "sbom chat > chat.cdx.json"])
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def sbom(file: Path) -> None:
    """Print what FILE is made of, in CycloneDX's JSON: models, packages, libraries, licences."""
    from builder.pack import SBOM_NAME
    from runtime.container import Container
    from runtime.errors import UnsupportedError

    with Container.open(file) as container:
        if SBOM_NAME not in container.entries:
            raise UnsupportedError(
                f"{file} carries no bill of materials: it was made before there were any.",
                hint="Build it anew.",
            )
        console.result(container.read(SBOM_NAME).decode().rstrip())
