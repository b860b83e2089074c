"""What a real solofile says of bad input: one clear sentence, an exit code, no traceback."""

import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runtime.container import MANIFEST_NAME, RUNTIME_NAME, Container, ContainerWriter
from runtime.manifest import encode, read_manifest
from tests.damage import flip
from tests.solofile import run_solofile

QUESTION = "Name the capital of France."


def _refused(path: Path, *arguments: str) -> tuple[int, str]:
    """Run a command that must fail, and return its exit code and its one line of complaint."""
    done = run_solofile(path, *arguments)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.returncode, done.stderr


@pytest.fixture
def copy(solofile: Path, tmp_path: Path) -> Path:
    """A copy of the solofile that may be damaged."""
    path = tmp_path / "copy"
    path.write_bytes(solofile.read_bytes())
    path.chmod(0o755)
    return path


def _middle(name: str) -> Callable[[Container], int]:
    return lambda container: container.entry(name).offset + container.entry(name).size // 2


@pytest.mark.parametrize(
    ("place", "named"),
    [
        (lambda container: container.entry(_weights(container)).end - 5000, ".gguf"),
        (lambda container: container.entry(_weights(container)).offset + 40, ".gguf"),
        (_middle(MANIFEST_NAME), MANIFEST_NAME),
        (_middle(RUNTIME_NAME), RUNTIME_NAME),
        (lambda container: container.entry(RUNTIME_NAME).header_offset + 10, RUNTIME_NAME),
        (lambda container: container.entry(_weights(container)).header_offset - 1, "padding"),
    ],
)
def test_one_flipped_byte_is_found(
    solofile: Path, copy: Path, place: Callable[[Container], int], named: str
) -> None:
    """`verify` names the part in which a single bit differs."""
    with Container.open(copy) as container:
        offset = place(container)
    flip(copy, offset)
    code, complaint = _refused(solofile, "verify", str(copy))
    assert code == 3
    assert named in complaint
    assert "Copy or download the file again." in complaint


def _weights(container: Container) -> str:
    return next(name for name in container.entries if name.endswith(".gguf"))


def test_a_damaged_manifest_stops_the_launch(copy: Path) -> None:
    """A solofile whose manifest was altered does not start."""
    with Container.open(copy) as container:
        offset = _middle(MANIFEST_NAME)(container)
    flip(copy, offset)
    code, complaint = _refused(copy, "run", QUESTION)
    assert code == 3
    assert f"{MANIFEST_NAME} inside {copy} is damaged" in complaint


def test_a_damaged_runtime_is_never_unpacked(copy: Path, tmp_path: Path) -> None:
    """A launcher that finds its runtime altered says so and leaves nothing behind."""
    with Container.open(copy) as container:
        offset = _middle(RUNTIME_NAME)(container)
    flip(copy, offset)
    cache = tmp_path / "cache"
    done = run_solofile(copy, "--version", env={"SOLOFILE_CACHE": str(cache)})
    assert done.returncode == 3
    assert "damaged" in done.stderr
    assert not [path for path in cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_says_so(copy: Path, share: float) -> None:
    """However much of the file arrived, the launcher or the runtime says it is not whole."""
    os.truncate(copy, int(copy.stat().st_size * share))
    code, complaint = _refused(copy, "run", QUESTION)
    assert code == 3
    assert "cut short" in complaint


def test_a_newer_format_is_refused(solofile: Path, tmp_path: Path) -> None:
    """A solofile of a later major format is not guessed at."""
    newer = tmp_path / "newer"
    with Container.open(solofile) as container, newer.open("w+b") as file:
        manifest = msgspec.structs.replace(read_manifest(container), format_version="2.0")
        writer = ContainerWriter(file)
        writer.add_bytes(MANIFEST_NAME, encode(manifest))
        writer.finish()
    code, complaint = _refused(solofile, "run", "-m", str(newer), QUESTION)
    assert code == 4
    assert "is in format 2.0" in complaint


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("note.txt", b"Dear diary, this is no model.", "neither a GGUF file nor a whole solofile"),
        ("empty.gguf", b"", "neither a GGUF file nor a whole solofile"),
        ("stub.gguf", b"GGUF\x03\x00\x00\x00", "stub.gguf"),
    ],
)
def test_files_that_are_no_model_are_refused(
    solofile: Path, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """`-m` says what is wrong with a file it cannot run."""
    path = tmp_path / name
    path.write_bytes(content)
    code, complaint = _refused(solofile, "run", "-m", str(path), QUESTION)
    assert code == 3
    assert message in complaint


def test_a_gguf_cut_short_is_refused(solofile: Path, gguf: Path, tmp_path: Path) -> None:
    """A model of which a part is missing is not run."""
    path = tmp_path / "part.gguf"
    path.write_bytes(gguf.read_bytes()[:50_000_000])
    code, complaint = _refused(solofile, "run", "-m", str(path), QUESTION)
    assert (code, complaint) == (
        3,
        f"Error: {path} is cut short. Copy or download it again.\n",
    )


def test_an_unknown_architecture_is_refused(solofile: Path, gguf: Path, tmp_path: Path) -> None:
    """A model that llama.cpp does not know is named as such."""
    path = tmp_path / "strange.gguf"
    name = b"general.architecture" + struct.pack("<IQ", 8, 5)
    data = gguf.read_bytes()
    assert data.count(name + b"llama") == 1
    path.write_bytes(data.replace(name + b"llama", name + b"lhama"))
    code, complaint = _refused(solofile, "run", "-m", str(path), QUESTION)
    assert code == 4
    assert "does not know the architecture lhama" in complaint


def test_a_model_larger_than_memory_is_refused(solofile: Path, tmp_path: Path) -> None:
    """Weights that this machine cannot hold are refused before they are read."""
    path = tmp_path / "huge.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF")
        file.truncate(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") + 10**9)
    code, complaint = _refused(solofile, "run", "-m", str(path), QUESTION)
    assert code == 5
    assert "of memory for its weights, and this machine has" in complaint


def test_a_context_larger_than_memory_is_refused(solofile: Path) -> None:
    """A context that does not fit says what it needs and what is free."""
    code, complaint = _refused(solofile, "run", "-c", "100000000", QUESTION)
    assert code == 5
    assert "A context of 100000000 tokens needs" in complaint
    assert "--ctx-size" in complaint


def test_a_load_that_fails_ends_the_server(solofile: Path, tmp_path: Path) -> None:
    """`serve` does not stay up without a model."""
    path = tmp_path / "part.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(100))
    done = run_solofile(solofile, "serve", "--port", "0", "--no-browser", "-m", str(path))
    assert done.returncode == 3
    assert "part.gguf" in done.stderr


def test_a_taken_port_is_refused(solofile: Path) -> None:
    """A port asked for by number is not silently changed."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, complaint = _refused(solofile, "--port", str(port), "--no-browser")
    assert code == 5
    assert f"Port {port} is taken" in complaint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--colour"], "Unrecognized arguments: --colour"),
        (["serve", "--port", "high"], "invalid int value: 'high'"),
        (["fly"], "fly is no command. The commands are chat, embed, extract, info"),
        (["run", "-m", "/no/such.gguf", "x"], "There is no file /no/such.gguf"),
        (["extract", "nothing"], "holds no nothing. Its entries are"),
    ],
)
def test_a_wrong_command_line_is_refused(
    solofile: Path, arguments: list[str], message: str
) -> None:
    """A mistake on the command line exits with 2 and says where help is."""
    code, complaint = _refused(solofile, *arguments)
    assert code == 2
    assert message in complaint
