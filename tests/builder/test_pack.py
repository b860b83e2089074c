"""What a solofile is made of, and that it is made the same way each time."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from builder.contents import Contents
from builder.errors import DiskError, ToolError
from builder.icon import IconFile
from builder.kit.kit import Kit
from builder.pack import SBOM_NAME, is_too_large, require_room, write_solofile
from builder.sources.source import LicenceFile, ModelFile
from builder.targets import TARGETS, Target
from runtime.branding import Branding, Icon
from runtime.container import ALIGNMENT, Container
from runtime.errors import DamagedFileError, UnsupportedError
from runtime.manifest import Origin, OriginFile, read_manifest
from runtime.payload import find_payload
from runtime.verify import verify
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_gguf
from tests.tiny_icon import SVG, png
from tests.tiny_lora import write_tiny_lora

LICENCE = b"Do as you like.\n"


@pytest.fixture
def contents(tmp_path: Path, tiny_kit: Kit) -> Contents:
    """A small model with a licence and a setting, and a kit of a few bytes."""
    weights = write_gguf(tmp_path / "weights.gguf")
    return contents_of(
        tiny_kit,
        weights,
        "Tiny",
        "Tiny.F32.gguf",
        licences=[LicenceFile("LICENSE", LICENCE)],
        defaults={"temp": 0.5, "parallel": 2},
    )


def test_adapters_are_carried_and_found(contents: Contents, tmp_path: Path) -> None:
    """They lie behind the weights, in their order, and the runtime finds each where it begins."""
    for seed, name in enumerate(("b.gguf", "a.gguf")):
        write_tiny_lora(tmp_path / name, seed=seed)
    adapters = [ModelFile(tmp_path / name, f"folder/{name}") for name in ("b.gguf", "a.gguf")]
    path = tmp_path / "solofile"
    write_solofile(replace(contents, adapters=adapters), path)
    assert verify(path) == []
    with Container.open(path) as container:
        names = ["Tiny.F32.gguf", "adapters/b.gguf", "adapters/a.gguf", "runtime.pkg"]
        assert list(container.entries)[:4] == names
    payload = find_payload(path)
    assert [file.name for file in payload.adapters] == names[1:3]
    for file, adapter in zip(payload.adapters, adapters, strict=True):
        data = adapter.path.read_bytes()
        assert path.read_bytes()[file.offset : file.offset + len(data)] == data


@pytest.mark.parametrize(
    ("icon", "media_type"),
    [(IconFile("icon.svg", SVG), "image/svg+xml"), (IconFile("icon.png", png()), "image/png")],
)
def test_branding_and_icon_are_found(
    contents: Contents, tmp_path: Path, icon: IconFile, media_type: str
) -> None:
    """The runtime finds both as they were given; every byte of the icon is covered."""
    path = tmp_path / "solofile"
    branding = Branding(title="Tiny <b>", examples=("Who are you?",), color="#0a7d6c")
    write_solofile(replace(contents, branding=branding, icon=icon), path)
    assert verify(path) == []
    payload = find_payload(path)
    assert payload.branding == branding
    assert payload.read_icon() == Icon(media_type, icon.data)
    data = path.read_bytes()
    path.write_bytes(data.replace(icon.data, icon.data[:-1] + b"?"))
    assert verify(path) == [icon.name]
    with pytest.raises(DamagedFileError, match=f"{icon.name} inside .* is damaged"):
        payload.read_icon()


def test_without_branding(contents: Contents, tmp_path: Path) -> None:
    """Nothing is made up, for a plain GGUF neither."""
    write_solofile(contents, tmp_path / "solofile")
    for path in (tmp_path / "solofile", contents.weights):
        payload = find_payload(path)
        assert (payload.branding, payload.read_icon()) == (Branding(), None)


def test_an_adapter_must_be_what_its_origin_promised(contents: Contents, tmp_path: Path) -> None:
    """Another digest than the promised one is damage."""
    write_tiny_lora(tmp_path / "a.gguf")
    adapter = ModelFile(tmp_path / "a.gguf", "a.gguf", "00")
    with pytest.raises(DamagedFileError, match=r"a\.gguf is damaged"):
        write_solofile(replace(contents, adapters=[adapter]), tmp_path / "solofile")


def test_the_order_of_things(contents: Contents, tmp_path: Path) -> None:
    """Launcher, weights, runtime, licences; what changes most easily is last."""
    path = tmp_path / "solofile"
    manifest = write_solofile(contents, path)
    data = path.read_bytes()
    assert data.startswith(contents.kit.launcher.read_bytes())
    with Container.open(path) as container:
        assert list(container.entries) == [
            "Tiny.F32.gguf",
            "runtime.pkg",
            "LICENSES/LICENSE",
            SBOM_NAME,
            "solofile.json",
        ]
        assert container.entry("Tiny.F32.gguf").offset % ALIGNMENT == 0
        assert container.read("Tiny.F32.gguf") == contents.weights.read_bytes()
        assert container.read("LICENSES/LICENSE") == LICENCE
        assert container.read("runtime.pkg") == contents.kit.runtime_pkg.read_bytes()
        assert read_manifest(container) == manifest
    assert verify(path) == []


def test_the_manifest_says_what_is_inside(contents: Contents, tmp_path: Path) -> None:
    """Every entry but the manifest itself stands in it with role, size and digest."""
    manifest = write_solofile(contents, tmp_path / "solofile")
    weights = contents.weights.read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    with Container.open(tmp_path / "solofile") as container:
        sbom = container.read(SBOM_NAME)
    assert [(entry.name, entry.role, entry.size) for entry in manifest.entries] == [
        ("Tiny.F32.gguf", "weights", len(weights)),
        ("runtime.pkg", "runtime", contents.kit.runtime_pkg.stat().st_size),
        ("LICENSES/LICENSE", "licence", len(LICENCE)),
        (SBOM_NAME, "sbom", len(sbom)),
    ]
    assert manifest.weights.sha256 == digest
    assert manifest.origin.files == [
        OriginFile(name="Tiny.F32.gguf", size=len(weights), sha256=digest)
    ]
    assert manifest.defaults == {"parallel": 2, "temp": 0.5}
    assert manifest.kit.target == contents.kit.info.target


def test_the_true_origin_is_kept(contents: Contents, tmp_path: Path) -> None:
    """Where something else than the weights was fetched, that is what the manifest names."""
    wheel = OriginFile(name="tiny.whl", size=7, sha256="77")
    origin = Origin(kind="pypi", repository="tiny", revision="1.0", files=[wheel])
    manifest = write_solofile(replace(contents, origin=origin), tmp_path / "solofile")
    assert manifest.origin == origin


def test_the_same_contents_give_the_same_bytes(contents: Contents, tmp_path: Path) -> None:
    """Neither the time nor the place of anything leaves a trace."""
    write_solofile(contents, tmp_path / "one")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = Path(shutil.copy(contents.weights, elsewhere / "other.gguf"))
    os.utime(moved, (0, 0))
    defaults = dict(reversed(contents.defaults.items()))
    write_solofile(replace(contents, weights=moved, defaults=defaults), elsewhere / "two")
    data = (tmp_path / "one").read_bytes()
    assert data == (elsewhere / "two").read_bytes()
    assert str(tmp_path).encode() not in data


@pytest.mark.parametrize(
    "command",
    [["unzip", "-t"], ["zipinfo"], [sys.executable, "-m", "zipfile", "-t"]],
    ids=lambda command: Path(command[0]).name,
)
def test_zip_tools_accept_it(contents: Contents, tmp_path: Path, command: list[str]) -> None:
    """It is a zip archive for everybody."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    path = tmp_path / "solofile"
    write_solofile(contents, path)
    done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


def test_weights_that_are_not_what_was_promised(contents: Contents, tmp_path: Path) -> None:
    """A damaged download is found while it is packed."""
    promised = replace(contents, weights_sha256="0" * 64)
    with pytest.raises(DamagedFileError, match=r"weights\.gguf is damaged: it is not the file"):
        write_solofile(promised, tmp_path / "solofile")
    digest = hashlib.sha256(contents.weights.read_bytes()).hexdigest()
    write_solofile(replace(contents, weights_sha256=digest), tmp_path / "solofile")


@pytest.mark.parametrize("name", ["launcher", "runtime.pkg"])
def test_a_kit_that_was_altered(contents: Contents, tmp_path: Path, name: str) -> None:
    """A kit whose files are not those it was made with is not packed."""
    path = contents.kit.launcher if name == "launcher" else contents.kit.runtime_pkg
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ToolError, match=f"The kit's {name} is not the one it was made with"):
        write_solofile(contents, tmp_path / "solofile")


def test_too_large_for_its_target(contents: Contents, tmp_path: Path) -> None:
    """What the target cannot start is refused before it is written."""
    windows = TARGETS["windows-x86_64"]
    assert not is_too_large(contents, windows)
    with contents.weights.open("r+b") as file:
        file.truncate(4 << 30)
    assert is_too_large(contents, windows)
    assert not is_too_large(contents, TARGETS["linux-x86_64"])
    require_room(contents, windows, tmp_path, has_sidecar=True)
    contents = replace(contents, draft=ModelFile(contents.weights, "draft.gguf"))
    with pytest.raises(UnsupportedError, match=r"weights the solofile would have 4\.3 GB, and win"):
        require_room(contents, windows, tmp_path, has_sidecar=True)


def test_no_room_on_the_disk(contents: Contents, small_disk: Path) -> None:
    """A disk that is too small is told before anything is written to it."""
    with pytest.raises(DiskError, match=r"free, and the solofile needs 2\.\d MB"):
        require_room(contents, Target("any"), small_disk)
    assert list(small_disk.iterdir()) == []
