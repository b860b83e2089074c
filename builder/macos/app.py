"""An app for macOS around a finished solofile.

Its program is the launcher alone, so a signature covers all of it. The solofile lies among the
resources, where the launcher looks for it, and is one that can be started by itself.
"""

import os
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from builder import console
from builder.errors import DiskError
from builder.files import atomic_path, require_space, scratch_folder
from builder.icon import IconFile
from builder.kit.kit import Kit
from builder.macos.archive import write_zip
from builder.macos.icns import SIZES, icns
from builder.macos.seal import seal
from builder.targets import Target
from runtime import __version__

# Nobody's domain, so no app of anybody else has such an identifier.
_OWN_DOMAIN = "local.solofile"
_TEMPLATES = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class AppOrder:
    """What an app shows of itself.

    Args:
        title: What it is called.
        identifier: What macOS knows it by; empty makes one of the title.
        icon: Its icon; None takes that of the system.
    """

    title: str
    identifier: str = ""
    icon: IconFile | None = None


def write_app(solofile: Path, kit: Kit, target: Target, order: AppOrder) -> list[Path]:
    """Write an app, a zip of it, and a script beside a solofile, in the place of older ones.

    A zip loses no permission to run; the script starts the solofile itself, in Terminal.

    Returns:
        The three.

    Raises:
        DiskError: One of them could not be written, or something else is in the app's place.
        SourceError: The signer could not be installed.
        ToolError: It failed.
    """
    folder = solofile.with_name(f"{solofile.name}.app")
    archive = solofile.with_name(f"{solofile.name}.app.zip")
    script = solofile.with_name(f"{solofile.name}.command")
    if folder.exists() and not (folder / "Contents" / "Info.plist").is_file():
        raise DiskError(f"{folder} is there and is no app.", hint="Move it elsewhere.")
    require_space(folder.parent, 2 * solofile.stat().st_size, purpose="the app and its zip")
    with console.status("Making the app"):
        with scratch_folder(folder) as part:
            part.chmod(0o755)
            _fill(part / "Contents", solofile, kit, target, order)
            if folder.exists():
                shutil.rmtree(folder)
            part.rename(folder)
        write_zip(folder, archive)
        with atomic_path(script, mode=0o755) as part:
            text = _rendered("start.command", quoted_name=shlex.quote(solofile.name))
            part.write_text(text, encoding="utf-8")
    return [folder, archive, script]


def _fill(contents: Path, solofile: Path, kit: Kit, target: Target, order: AppOrder) -> None:
    program = contents / "MacOS" / solofile.name
    resources = contents / "Resources"
    program.parent.mkdir(parents=True)
    resources.mkdir()
    shutil.copyfile(kit.launcher, program)
    program.chmod(0o755)
    _link(solofile, resources / f"{solofile.name}.solofile")
    picture = _picture(order.icon)
    if picture:
        (resources / "icon.icns").write_bytes(picture)
    identifier = order.identifier or f"{_OWN_DOMAIN}.{_slug(order.title)}"
    info = _rendered(
        "Info.plist",
        title=order.title,
        program=solofile.name,
        icon="icon" if picture else "",
        identifier=identifier,
        version=__version__,
        lowest_macos=kit.info.macos or target.lowest_macos,
    )
    (contents / "Info.plist").write_text(info, encoding="utf-8")
    seal(contents, program, identifier)


def _link(source: Path, path: Path) -> None:
    """Give a file a second name; where the file system knows none, copy it."""
    try:
        os.link(source, path)
    except OSError:
        shutil.copyfile(source, path)
        path.chmod(0o755)


def _picture(icon: IconFile | None) -> bytes | None:
    if icon is None:
        return None
    picture = icns(icon.data) if icon.name.endswith(".png") else None
    if picture is None:
        sizes = ", ".join(map(str, SIZES))
        console.info(f"The app has no icon: macOS takes a square PNG of {sizes} pixels.")
    return picture


def _slug(title: str) -> str:
    return re.sub("[^a-z0-9]+", "-", title.lower()).strip("-") or "model"


def _rendered(name: str, **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=name.endswith(".plist"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(values)
