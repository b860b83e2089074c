"""The launchers for macOS, and files that begin with them, as a parser of others reads them."""

import io
import itertools
import tarfile
import zipfile
from pathlib import Path

import zstandard

from builder.kit.kit import Kit
from builder.pack import write_solofile
from runtime.container import Container
from runtime.package import HEADER_BYTES
from runtime.verify import verify
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_gguf
from tests.macho import AD_HOC, MachOFile, read_signature

PROCESSORS = {"macos-arm64": "ARM64", "macos-x86_64": "x86_64"}
LOWEST_MACOS = (11, 0)


def test_the_launcher_needs_macos_alone(kit: Kit) -> None:
    """It is a program for the processor, says which macOS it runs on, and loads libSystem."""
    launcher = MachOFile(kit.launcher)
    assert launcher.kind == "execute"
    assert launcher.processor == PROCESSORS[kit.info.target]
    assert launcher.lowest_macos == LOWEST_MACOS
    assert launcher.libraries == ["/usr/lib/libSystem.B.dylib"]


def test_the_archive_lies_behind_everything_that_is_loaded(solofile: Path, kit: Kit) -> None:
    """The last segment ends with the launcher, and no segment reaches into another."""
    segments = sorted(MachOFile(solofile).segments, key=lambda segment: segment[1:])
    assert segments[-1][0] == "__LINKEDIT"
    assert segments[-1][2] == kit.info.launcher_size
    for (_, _, end), (_, start, _) in itertools.pairwise(segments):
        assert end <= start
    with Container.open(solofile) as container:
        first = min(entry.header_offset for entry in container.entries.values())
    assert first >= kit.info.launcher_size


def test_any_zip_tool_reads_the_file(solofile: Path) -> None:
    """The runtime in it is a program for the same system."""
    assert verify(solofile) == []
    with zipfile.ZipFile(solofile) as archive:
        assert archive.testzip() is None
        package = archive.read("runtime.pkg")
    stream = io.BytesIO(package[HEADER_BYTES:])
    plain = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as runtime:
        assert runtime.getnames() == ["solofile-runtime"]
        runtime.extractall(solofile.parent, filter="data")
    program = MachOFile(solofile.with_name("solofile-runtime"))
    assert program.processor == MachOFile(solofile).processor


def test_the_signature_holds_with_the_archive_behind_it(arm_kit: Kit, tmp_path: Path) -> None:
    """Apple's processors start nothing whose pages have not the digests that it is signed with.

    For Intel's, macOS starts programs without a signature.
    """
    solofile = tmp_path / "model"
    write_solofile(contents_of(arm_kit, write_gguf(tmp_path / "weights.gguf")), solofile)
    signature = MachOFile(solofile).signature()
    assert signature.flags & AD_HOC
    assert signature.identifier == b"launcher"
    assert signature.code_limit == signature.offset
    assert not signature.wrong_pages
    data = bytearray(solofile.read_bytes())
    data[signature.code_limit - 1] ^= 1
    damaged = read_signature(bytes(data), signature.offset, signature.end - signature.offset)
    assert damaged.wrong_pages == [signature.num_pages - 1]
