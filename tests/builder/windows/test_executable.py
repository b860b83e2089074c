"""The icon and the version facts of an executable, as another parser and Wine read them."""

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import msgspec
import pefile
import pytest

from builder.contents import Contents
from builder.errors import ToolError
from builder.gguf.facts import read_facts
from builder.icon import IconFile
from builder.kit.stub import compile_stub
from builder.pack import write_solofile
from builder.targets import TARGETS
from builder.windows.executable import Resource, with_resources
from builder.windows.facts import icon_resources, version_resource
from runtime.branding import Branding
from runtime.manifest import Origin
from runtime.verify import verify
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_kit import make_tiny_kit
from tests.tiny_icon import SVG, png


@pytest.fixture(scope="session")
def program() -> bytes:
    return compile_stub(TARGETS["windows-x86_64"]).read_bytes()


@pytest.fixture
def contents(tmp_path: Path, program: bytes) -> Contents:
    """A model called with Chinese characters, for Windows."""
    (tmp_path / "kit").mkdir()
    tiny = make_tiny_kit(tmp_path / "kit", launcher=program)
    info = msgspec.structs.replace(tiny.info, target="windows-x86_64", solofile="0.1.2")
    weights = write_gguf(tmp_path / "weights.gguf")
    return Contents(
        name="Tiny 模型",
        kit=replace(tiny, info=info),
        weights=weights,
        weights_name="Tiny.F32.gguf",
        weights_sha256="",
        model=msgspec.structs.replace(read_facts([weights], name="Tiny"), license="apache-2.0"),
        origin=Origin(kind="file", files=[]),
        icon=IconFile("icon.png", png()),
        branding=Branding(title="A small model"),
    )


def strings(parsed: pefile.PE) -> dict[str, str]:
    """Return the version facts that pefile finds."""
    (info,) = parsed.FileInfo
    (table,) = next(one.StringTable for one in info if hasattr(one, "StringTable"))
    return {key.decode(): value.decode() for key, value in table.entries.items()}


def test_what_is_shown(contents: Contents, tmp_path: Path) -> None:
    """Names, version and licence are there, and the icon as it was given; nothing else changed."""
    path = tmp_path / "tiny.exe"
    manifest = write_solofile(contents, path)
    assert verify(path) == []
    # The room behind so small a launcher is more zeros than pefile believes a program to have.
    launcher = path.read_bytes()[: manifest.launcher.size]
    with pefile.PE(data=launcher, fast_load=False) as parsed:
        assert parsed.get_warnings() == []
        assert strings(parsed) == {
            "FileDescription": "A small model",
            "FileVersion": "0.1.2",
            "InternalName": "solofile",
            "LegalCopyright": "apache-2.0",
            "ProductName": "Tiny 模型",
            "ProductVersion": "F32",
        }
        (fixed,) = parsed.VS_FIXEDFILEINFO
        assert (fixed.FileVersionMS, fixed.FileVersionLS) == (1, 2 << 16)
        kinds = {entry.id: entry for entry in parsed.DIRECTORY_ENTRY_RESOURCE.entries}
        assert sorted(kinds) == [3, 14, 16]
        leaf = kinds[3].directory.entries[0].directory.entries[0].data.struct
        assert parsed.get_data(leaf.OffsetToData, leaf.Size) == png()
        last = parsed.sections[-1]
        assert last.PointerToRawData + last.SizeOfRawData == manifest.launcher.size


def test_an_icon_that_windows_does_not_take(
    contents: Contents, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told, and the file is made without."""
    write_solofile(replace(contents, icon=IconFile("icon.svg", SVG)), tmp_path / "tiny.exe")
    assert "gets no icon: Windows takes square PNGs of at most 256" in capsys.readouterr().err
    with pefile.PE(tmp_path / "tiny.exe") as parsed:
        assert len(parsed.DIRECTORY_ENTRY_RESOURCE.entries) == 1


def test_sizes_of_icons() -> None:
    """256 pixels are written as 0; more, or a picture that is not square, is no icon."""

    def of_size(width: int, height: int) -> bytes:
        header = struct.pack(">4sIIBBBBB", b"IHDR", width, height, 8, 0, 0, 0, 0)
        return png()[:12] + header + struct.pack(">I", zlib.crc32(header)) + png()[33:]

    (_, group) = icon_resources(of_size(256, 256))
    assert group.data[6:8] == b"\0\0"
    assert icon_resources(of_size(257, 257)) == []
    assert icon_resources(of_size(32, 16)) == []


@pytest.mark.parametrize(
    ("data", "why"), [(b"#!/bin/sh\n", "no program for Windows"), (None, "no place for resources")]
)
def test_what_cannot_be_changed(program: bytes, data: bytes | None, why: str) -> None:
    """Another program, or one that has resources, is not touched."""
    version = version_resource("1.2", {})
    data = data or with_resources(program, [version])
    with pytest.raises(ToolError, match=why):
        with_resources(data, [Resource(3, 1, 0, b"x")])
