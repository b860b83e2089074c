"""The manifest: written, read back, from the future, and damaged."""

from pathlib import Path

import msgspec
import pytest

from runtime.container import MANIFEST_NAME, Container, ContainerWriter
from runtime.errors import DamagedFileError, UnsupportedError
from runtime.manifest import (
    EntryFacts,
    KitFacts,
    LauncherFacts,
    Manifest,
    ModelFacts,
    Origin,
    OriginFile,
    decode,
    encode,
    read_manifest,
)

PATH = Path("chat")
MANIFEST = Manifest(
    name="Tiny",
    model=ModelFacts(
        name="Tiny", architecture="llama", quantization="Q4_1", n_params=10, n_ctx_train=512
    ),
    origin=Origin(kind="file", files=[OriginFile(name="tiny.gguf", size=4, sha256="00")]),
    kit=KitFacts(
        target="linux-x86_64",
        solofile="0.1.0",
        python="3.11.7",
        llama_cpp="0.5.0",
        llama_cpp_commit="0c1e57098",
        llama_cpp_python="0.3.36",
        glibc="2.28",
    ),
    launcher=LauncherFacts(size=10, sha256="11"),
    entries=[
        EntryFacts(name="tiny.gguf", role="weights", size=4, sha256="00"),
        EntryFacts(name="runtime.pkg", role="runtime", size=5, sha256="22"),
    ],
    defaults={"temp": 0.2, "parallel": 2, "repack": True, "host": "0.0.0.0"},
)


def test_round_trip() -> None:
    """What is written is read back, each setting with its type."""
    assert decode(encode(MANIFEST), PATH) == MANIFEST


def test_it_is_text_for_people() -> None:
    """The entry is indented JSON that begins with the format's version and ends as lines do."""
    text = encode(MANIFEST).decode()
    assert text.startswith('{\n  "format_version": "1.1",\n')
    assert text.endswith("}\n")


def test_what_nothing_is_known_of_is_left_out() -> None:
    """An unknown licence or repository leaves no empty line."""
    text = encode(MANIFEST).decode()
    assert '"license"' not in text
    assert '"repository"' not in text


def test_weights() -> None:
    """The entry with the role `weights` is the one the engine maps."""
    assert MANIFEST.weights.name == "tiny.gguf"
    bare = msgspec.structs.replace(MANIFEST, entries=MANIFEST.entries[1:])
    with pytest.raises(DamagedFileError, match="names no weights"):
        _ = bare.weights


def test_a_newer_minor_version_is_read() -> None:
    """Fields a later 1.x added are passed over."""
    data = encode(MANIFEST).replace(b'"1.0"', b'"1.7"').replace(b"{", b'{"added": [1],', 1)
    assert decode(data, PATH).name == "Tiny"


@pytest.mark.parametrize("version", ["2.0", "10.3"])
def test_a_newer_format_is_refused(version: str) -> None:
    """Another major version is refused before anything else of it is looked at."""
    data = f'{{"format_version": "{version}", "entries": 7}}'.encode()
    with pytest.raises(UnsupportedError, match=f"is in format {version}, and solofile") as caught:
        decode(data, PATH)
    assert caught.value.hint == "Use a newer version of solofile."


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"{}", b'{"format_version": 1}', b'{"format_version": "one"}', b"\xff",
     b'{"format_version": "1.0", "name": "x"}'],
)  # fmt: skip
def test_nonsense_is_told(data: bytes) -> None:
    """What is no manifest is told with the file it was found in."""
    with pytest.raises(DamagedFileError, match="The manifest of chat makes no sense"):
        decode(data, PATH)


def test_it_is_read_from_a_container(tmp_path: Path) -> None:
    """The entry `solofile.json` is the manifest; without it a container is no solofile."""
    for name in (MANIFEST_NAME, "other.json"):
        with (tmp_path / name).open("w+b") as file:
            writer = ContainerWriter(file)
            writer.add_bytes(name, encode(MANIFEST))
            writer.finish()
    with Container.open(tmp_path / MANIFEST_NAME) as container:
        assert read_manifest(container) == MANIFEST
    with (
        Container.open(tmp_path / "other.json") as container,
        pytest.raises(DamagedFileError, match=r"holds no solofile\.json"),
    ):
        read_manifest(container)
