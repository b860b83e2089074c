"""Every byte of a solofile is vouched for: what is altered is found and named."""

import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.kit.kit import Kit
from builder.pack import SBOM_NAME, write_solofile
from builder.sign.secret_key import SecretKey
from builder.sources.source import LicenceFile, ModelFile
from runtime.cli.commands import run
from runtime.container import ALIGNMENT, Container, ContainerWriter
from runtime.errors import DamagedFileError
from runtime.layout import DIRECTORY
from runtime.manifest import read_manifest
from runtime.verify import verify
from runtime.zip_records import Entry, directory_and_end
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_kit import make_tiny_kit

NUM_PLACES = 200


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed solofile with an entry of most kinds, whose kit is of a few bytes."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "kit").mkdir()
    kit: Kit = make_tiny_kit(folder / "kit")
    model = write_gguf(folder / "model.gguf")
    contents = contents_of(
        kit,
        model,
        draft=ModelFile(model, "draft.gguf"),
        licences=[LicenceFile("LICENSE", b"Do as you like.\n")],
        card=b"# A model\n",
        signer=SecretKey.new(),
    )
    write_solofile(contents, folder / "solofile")
    return folder / "solofile"


def regions(path: Path) -> list[tuple[str, int, int]]:
    """Return each region's name, start and end: together they are the whole file."""
    with Container.open(path) as container:
        position = read_manifest(container).launcher.size
        found = [("launcher", 0, position)]
        for entry in container.entries.values():
            found += [
                (f"the padding before {entry.name}", position, entry.header_offset),
                (f"the header of {entry.name}", entry.header_offset, entry.offset),
                (entry.name, entry.offset, entry.end),
            ]
            position = entry.end
    found.append((DIRECTORY, position, path.stat().st_size))
    return [region for region in found if region[1] < region[2]]


def test_every_flip_is_found_and_named(small: Path, tmp_path: Path) -> None:
    """Of 200 places over all regions, each altered byte is told by the region it lies in."""
    assert verify(small) == []
    data = small.read_bytes()
    found = regions(small)
    chance = random.Random(8)
    places = [(name, place) for name, start, end in found for place in (start, end - 1)]
    while len(places) < NUM_PLACES:
        name, start, end = chance.choice(found)
        places.append((name, chance.randrange(start, end)))
    altered = tmp_path / "altered"
    for name, place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        altered.write_bytes(changed)
        assert verify(altered) == [name], f"byte {place} of {name}"


def test_every_byte_of_the_directory(small: Path, tmp_path: Path) -> None:
    """Whatever is altered there, it is the directory that is named and nothing else."""
    data = small.read_bytes()
    _, start, end = regions(small)[-1]
    altered = tmp_path / "altered"
    for place in range(start, end):
        changed = bytearray(data)
        changed[place] ^= 0x41
        altered.write_bytes(changed)
        assert verify(altered) == [DIRECTORY], f"byte {place - start}"


def test_several_parts_are_all_named(small: Path, tmp_path: Path) -> None:
    """One part that is damaged hides no other."""
    changed = bytearray(small.read_bytes())
    found = {name: start for name, start, _ in regions(small)}
    names = ["launcher", "the header of draft/draft.gguf", "model.gguf", "LICENSES/LICENSE"]
    for name in names:
        changed[found[name] + 8] ^= 1
    altered = tmp_path / "altered"
    altered.write_bytes(changed)
    assert verify(altered) == names


def inserted(path: Path, size: int) -> bytes:
    """Return a solofile with zeros before its first entry, in front of which all else fits."""
    data = path.read_bytes()
    with Container.open(path) as container:
        first = next(iter(container.entries.values())).header_offset
        moved = [
            Entry(entry.name, entry.header_offset + size, entry.size, entry.crc32)
            for entry in container.entries.values()
        ]
    end = moved[-1].end
    body = data[:first] + bytes(size) + data[first : end - size]
    return body + directory_and_end(moved, end)


def with_another_entry(path: Path) -> bytes:
    """Return a solofile with an entry more, of which the manifest knows nothing."""
    with Container.open(path) as container:
        entries = list(container.entries.values())
    end = entries[-1].end
    more = Entry("more", end, 0, 0)
    header = more.local_header()
    directory = directory_and_end([*entries, more], end + len(header))
    return path.read_bytes()[:end] + header + directory


def without_an_entry(path: Path) -> bytes:
    """Return a solofile without its bill of materials, in which all else fits that."""
    file = io.BytesIO()
    writer = ContainerWriter(file)
    with Container.open(path) as container:
        writer.write_launcher(path.read_bytes()[: read_manifest(container).launcher.size])
        for entry in container.entries.values():
            if entry.name != SBOM_NAME:
                is_aligned = entry.offset % ALIGNMENT == 0
                writer.add_file(
                    entry.name, path, offset=entry.offset, size=entry.size, aligned=is_aligned
                )
    writer.finish()
    return file.getvalue()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda path: inserted(path, 65536), "the padding before model.gguf"),
        (with_another_entry, "more, which the manifest does not list"),
        (without_an_entry, "sbom.cdx.json, which is missing"),
        (lambda path: path.read_bytes() + b"more", DIRECTORY),
        (lambda path: path.read_bytes()[:-10], DIRECTORY),
    ],
)
def test_what_nobody_vouches_for(
    small: Path, tmp_path: Path, change: Callable[[Path], bytes], named: str
) -> None:
    """More or less than the manifest says is told although every record fits the others."""
    altered = tmp_path / "altered"
    altered.write_bytes(change(small))
    assert verify(altered) == [named]


def test_what_is_no_solofile(tmp_path: Path) -> None:
    """Of another file nothing is named."""
    (tmp_path / "other").write_bytes(bytes(1000))
    with pytest.raises(DamagedFileError, match="other is not a solofile, or it is cut short"):
        verify(tmp_path / "other")


def test_progress_ends_with_all_of_it(small: Path) -> None:
    """Launcher and entries are told of, which is all but padding and records."""
    told: list[int] = []
    verify(small, advance=told.append)
    with Container.open(small) as container:
        manifest = read_manifest(container)
    sizes = [facts.size for facts in manifest.entries]
    assert sum(told) == manifest.launcher.size + sum(sizes)


def test_the_command(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sound file ends with 0, a damaged one with 3, and JSON tells what is wrong."""
    assert run(["verify", str(small)]) == 0
    assert capsys.readouterr().out.startswith(f"{small} is sound. It says that key ")
    altered = tmp_path / "altered"
    altered.write_bytes(b"?" + small.read_bytes()[1:])
    with pytest.raises(DamagedFileError, match="altered is damaged in launcher"):
        run(["verify", str(altered)])
    assert run(["verify", "--json", str(altered)]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["is_sound"], told["wrong"]) == (False, ["launcher"])
