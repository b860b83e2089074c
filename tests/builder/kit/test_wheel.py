"""Kits as wheels, installed by the real pip into a folder of the test's own."""

import importlib.metadata
import json
import shutil
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from builder.cli.kit import kit as kit_command
from builder.kit.at_hand import ensure_kit, find_kit, list_kits
from builder.kit.file import export_kit, import_kit, read_kit_file
from builder.kit.installed import distribution_name
from builder.kit.kit import INFO_NAME, Kit, load_kit
from builder.kit.wheel import write_wheel
from builder.pypi import run_pip
from builder.targets import TARGETS, host_target
from runtime import __version__
from runtime.errors import DamagedFileError
from tests.builder.kit.damaged import import_damaged
from tests.builder.tiny_kit import make_tiny_kit

OTHER = next(target for target in TARGETS.values() if target != host_target())
PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
Install = Callable[[str], None]


@pytest.fixture
def wheels(tmp_path: Path, own_cache: Path) -> Path:
    """An empty folder for wheels."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


@pytest.fixture
def install(tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install requirements from the folder of wheels where this builder finds it."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(str(site))

    def install_all(requirements: str) -> None:
        options = ["--no-index", "--find-links", str(wheels), "--target", str(site)]
        run_pip(["install", *options, *requirements.split()], doing="install a kit")

    return install_all


def tiny(folder: Path, **facts: Any) -> Kit:
    """Make a small kit for another system than this one."""
    folder.mkdir()
    return make_tiny_kit(folder, **{"target": OTHER.name, **facts})


def test_pip_brings_a_kit(tmp_path: Path, wheels: Path, install: Install) -> None:
    """What the extra of a target asks for is the kit, byte by byte, and a builder uses it."""
    kit = tiny(tmp_path / "kit")
    write_wheel(kit, wheels)
    extras = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["optional-dependencies"]

    (requirement,) = extras[OTHER.name]
    install(requirement)

    found = ensure_kit(OTHER)
    assert (found.origin, found.info) == ("installed", kit.info)
    assert found.launcher.read_bytes() == kit.launcher.read_bytes()
    assert found.runtime_pkg.read_bytes() == kit.runtime_pkg.read_bytes()
    assert list_kits() == [found]
    facts = importlib.metadata.metadata(distribution_name(OTHER.name))
    assert facts["Version"] == __version__
    assert "Requires-Python" not in facts
    (listed,) = json.loads(CliRunner().invoke(kit_command, ["list", "--json"]).stdout)
    assert (listed["origin"], listed["target"]) == ("installed", OTHER.name)


def test_every_target_has_an_extra() -> None:
    """It asks for the wheel of exactly this version, and uv does not look for it."""
    names = {target: distribution_name(target) for target in sorted(TARGETS)}

    project = tomllib.loads(PYPROJECT.read_text("utf-8"))

    extras = {target: [f"{name}=={__version__}"] for target, name in names.items()}
    assert project["project"]["optional-dependencies"] == extras
    never = [f"{name}; python_version < '3'" for name in names.values()]
    assert project["tool"]["uv"]["override-dependencies"] == never


def test_same_bytes_twice(tmp_path: Path, wheels: Path) -> None:
    """The same kit gives the same wheel, whichever way it comes."""
    kit = tiny(tmp_path / "kit")
    carried = export_kit(kit, tmp_path / "a.kit")
    first = write_wheel(kit, wheels).read_bytes()
    command = ["wheel", str(carried), "-o", str(wheels)]

    result = CliRunner().invoke(kit_command, command, catch_exceptions=False)

    assert Path(result.stdout.strip()).read_bytes() == first


def test_which_one_is_used(tmp_path: Path, wheels: Path, install: Install) -> None:
    """One of this version comes before one of another, and an imported one before an installed."""
    install(str(write_wheel(tiny(tmp_path / "kit"), wheels)))
    old = tiny(tmp_path / "old", solofile="0.0.1", launcher=b"old")
    import_kit(export_kit(old, tmp_path / "old.kit"))
    assert ensure_kit(OTHER).origin == "installed"

    imported = import_kit(export_kit(tiny(tmp_path / "same"), tmp_path / "same.kit"))

    assert ensure_kit(OTHER) == imported


def test_one_with_a_plugin(tmp_path: Path, wheels: Path, install: Install) -> None:
    """It is another distribution, beside the one without."""
    plain = tiny(tmp_path / "kit")
    info = msgspec.structs.replace(plain.info, gpu=["vulkan"])
    shutil.copytree(plain.folder, tmp_path / "gpu")
    (tmp_path / "gpu" / INFO_NAME).write_bytes(msgspec.json.encode(info))
    paths = [write_wheel(load_kit(tmp_path / name), wheels) for name in ("kit", "gpu")]
    assert paths[1].name.startswith(f"solofile_kit_{OTHER.name.replace('-', '_')}_vulkan-")
    install(" ".join(map(str, paths)))

    found = [find_kit(OTHER), find_kit(OTHER, gpu=["vulkan"])]

    assert [kit.info.gpu for kit in found if kit] == [[], ["vulkan"]]


def test_one_of_another_version(tmp_path: Path, wheels: Path, install: Install) -> None:
    """It is used where there is no other."""
    install(str(write_wheel(tiny(tmp_path / "old", solofile="0.0.1"), wheels)))

    found = find_kit(OTHER)

    assert found is not None
    assert found.info.solofile == "0.0.1"


def test_without_pip(tmp_path: Path, wheels: Path) -> None:
    """A wheel is shown and imported like a .kit file."""
    kit = tiny(tmp_path / "kit")
    path = write_wheel(kit, wheels)

    imported = import_kit(path)

    assert (imported.origin, imported.info) == ("imported", kit.info)
    assert imported.runtime_pkg.read_bytes() == kit.runtime_pkg.read_bytes()
    shown = CliRunner().invoke(kit_command, ["show", str(path), "--json"], catch_exceptions=False)
    assert json.loads(shown.stdout)["target"] == OTHER.name


def test_damaged_anywhere(tmp_path: Path, wheels: Path) -> None:
    """A wheel cut anywhere, or with bytes changed, is refused or unharmed by it."""
    kit = tiny(tmp_path / "kit", launcher=b"launcher")
    path = write_wheel(kit, wheels)
    whole = path.read_bytes()
    noise = whole.index(kit.runtime_pkg.read_bytes())
    interesting = [*range(noise + 20), *range(noise + 12780, len(whole))]
    versions = [whole[:size] for size in interesting[::70]]
    versions += [whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :] for at in interesting]
    import_damaged(path, versions, kit)


def test_another_wheel(tmp_path: Path, own_cache: Path) -> None:
    """A wheel of something else is not a kit."""
    path = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.py", "")

    with pytest.raises(DamagedFileError, match="is not a kit, or damaged"):
        read_kit_file(path)
