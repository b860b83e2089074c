"""From a source to a finished file, with a kit whose launcher is a shell script."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from builder import make
from builder.__main__ import run
from builder.errors import DiskError
from builder.kit.kit import Kit
from builder.make import Order, make_solofile
from builder.sign.secret_key import SecretKey
from builder.smoke import SmokeTestError
from builder.sources.gguf_file import GgufFile
from builder.targets import TARGETS, host_target
from runtime.container import Container
from runtime.errors import DamagedFileError, UnsupportedError
from runtime.manifest import read_manifest
from runtime.minisign import digest_of, parse_signature
from runtime.verify import judge
from tests.builder.tiny_gguf import write_gguf, write_split_gguf
from tests.builder.tiny_kit import make_tiny_kit


@pytest.fixture
def order(tmp_path: Path, tiny_kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Order:
    """An order for a small model, made in a folder of its own."""
    monkeypatch.setattr(make, "ensure_kit", lambda target, **options: tiny_kit)
    (tmp_path / "models").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    path = write_gguf(tmp_path / "models" / "Tiny-Chat.F32.gguf")
    return Order(source=GgufFile(path), target=host_target())


def test_a_file_comes_out(order: Order) -> None:
    """By default it lies in `dist`, is called after model and quantization, and starts."""
    report = make_solofile(order)
    assert report.path == "dist/Tiny-Chat-F32"
    path = Path(report.path)
    assert path.stat().st_mode & 0o777 == 0o755
    assert subprocess.check_output([path], text=True) == "Paris is the capital of France.\n"
    assert report.answer == "Paris is the capital of France."
    assert report.start_seconds is not None
    assert report.size == path.stat().st_size
    with Container.open(path) as container:
        manifest = read_manifest(container)
    assert report.overhead == report.size - manifest.weights.size
    assert (manifest.name, manifest.weights.name) == ("Tiny-Chat", "Tiny-Chat.F32.gguf")
    assert [member.name for member in Path("dist").iterdir()] == ["Tiny-Chat-F32"]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"output": Path("chat")}, "chat"),
        ({"output": Path()}, "Tiny-Chat-F32"),
        ({"name": "My/Model: 1"}, "dist/My-Model- 1"),
        ({"name": "Mine", "output": Path("other")}, "other"),
    ],
)
def test_where_it_lies(order: Order, options: dict[str, object], path: str) -> None:
    """A path, a folder or a name decide what it is called."""
    assert make_solofile(replace(order, **options)).path == path  # type: ignore[arg-type] # varied
    assert Path(path).is_file()


def test_windows_needs_a_suffix(order: Order) -> None:
    """What is to run on Windows is called so, and is not started here."""
    windows = replace(order, target=TARGETS["windows-x86_64"])
    assert make_solofile(windows).path == "dist/Tiny-Chat-F32.exe"
    report = make_solofile(replace(windows, output=Path("chat")))
    assert report.path == "chat.exe"
    assert report.answer is None


def test_signed(order: Order) -> None:
    """The file carries a signature, and one over all of it lies beside it."""
    key = SecretKey.new()
    path = Path(make_solofile(replace(order, signer=key)).path)
    assert judge(path, key=key.public).is_sound
    beside = parse_signature(path.with_name(f"{path.name}.minisig").read_bytes())
    assert beside
    assert beside.is_by(key.public, digest_of(path.read_bytes()))


def test_twice_the_same(order: Order) -> None:
    """Two builds of the same order are the same file."""
    make_solofile(replace(order, output=Path("one")))
    make_solofile(replace(order, output=Path("two")))
    assert Path("one").read_bytes() == Path("two").read_bytes()


def test_a_split_model_is_made_whole(order: Order, tmp_path: Path, own_cache: Path) -> None:
    """All parts go into one entry; the manifest names each part."""
    parts = write_split_gguf(tmp_path / "models", "Tiny-F32")
    report = make_solofile(replace(order, source=GgufFile(parts[2])))
    assert report.path == "dist/Tiny-F32"
    with Container.open(Path(report.path)) as container:
        manifest = read_manifest(container)
    assert manifest.weights.name == "Tiny-F32.gguf"
    assert [part.name for part in manifest.origin.files] == [part.name for part in parts]
    assert manifest.model.n_params > 0
    assert list((own_cache / "merged").iterdir())


def test_one_that_does_not_work_is_not_left(
    order: Order, tiny_kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the finished file fails its test, the old one stands; without one, there is none."""
    kit = make_tiny_kit(tiny_kit.folder, launcher=b"#!/bin/sh\necho Error: broken >&2\nexit 3\n")
    monkeypatch.setattr(make, "ensure_kit", lambda target, **options: kit)
    Path("dist").mkdir()
    for old in (None, b"old"):
        if old:
            Path("dist/Tiny-Chat-F32").write_bytes(old)
        with pytest.raises(SmokeTestError, match="ended with code 3: Error: broken"):
            make_solofile(order)
        left = {path.name: path.read_bytes() for path in Path("dist").iterdir()}
        assert left == ({"Tiny-Chat-F32": old} if old else {})
    assert make_solofile(replace(order, is_smoke_tested=False)).answer is None


def test_an_unknown_architecture_needs_no_kit(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What llama.cpp cannot load is refused before a kit is made."""
    monkeypatch.setattr(make, "ensure_kit", None)
    path = write_gguf(tmp_path / "models" / "odd.gguf", architecture="odd")
    with pytest.raises(UnsupportedError, match="has the architecture odd"):
        make_solofile(replace(order, source=GgufFile(path)))


def test_a_cut_model_is_refused(order: Order, tmp_path: Path) -> None:
    """A GGUF that is cut short is not packed."""
    path = tmp_path / "models" / "Tiny-Chat.F32.gguf"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DamagedFileError, match=r"Tiny-Chat\.F32\.gguf is cut short: it holds"):
        make_solofile(order)


def test_another_model_than_was_meant(order: Order) -> None:
    """Weights with another digest than the order's are refused, and nothing is left."""
    with pytest.raises(DamagedFileError, match="is damaged: it is not the file"):
        make_solofile(replace(order, weights_sha256="0" * 64))
    assert list(Path("dist").iterdir()) == []


def test_a_full_disk(order: Order, small_disk: Path) -> None:
    """A disk without room is told, and nothing is left on it."""
    with pytest.raises(DiskError, match=f"The disk with {small_disk} has"):
        make_solofile(replace(order, output=small_disk / "chat"))
    assert list(small_disk.iterdir()) == []


def test_a_folder_that_is_not_writable(
    order: Order, read_only_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before anything is fetched or made."""
    monkeypatch.setattr(make, "ensure_kit", None)
    for output in (read_only_folder, read_only_folder / "chat"):
        with pytest.raises(DiskError, match=f"{read_only_folder} is not writable"):
            make_solofile(replace(order, output=output))
    with pytest.raises(DiskError, match="nowhere is not a folder"):
        make_solofile(replace(order, output=Path("nowhere/chat")))


HANG_WHILE_PACKING = """
import sys, time
from pathlib import Path
from builder import __main__, make, pack
from tests.builder.tiny_kit import make_tiny_kit

kit = make_tiny_kit(Path(sys.argv[1]))
make.ensure_kit = lambda target, **options: kit

def hang(*arguments):
    print("ready", flush=True)
    time.sleep(60)

pack._manifest = hang
sys.argv = ["solofile", "build", sys.argv[2]]
__main__.main()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("old", [None, b"old"])
def test_interrupted_and_run_again(
    order: Order, tmp_path: Path, number: signal.Signals, old: bytes | None
) -> None:
    """Whatever ends a build, the old file or none is left, and the next build works."""
    Path("dist").mkdir()
    if old:
        Path("dist/Tiny-Chat-F32").write_bytes(old)
    source = str(tmp_path / "models" / "Tiny-Chat.F32.gguf")
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", HANG_WHILE_PACKING, str(tmp_path / "kit"), source],
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
    visible = {path.name: path.read_bytes() for path in Path("dist").glob("[!.]*")}
    assert visible == ({"Tiny-Chat-F32": old} if old else {})
    for part in Path("dist").glob(".*"):
        assert number == signal.SIGKILL, "only this leaves something behind"
        os.utime(part, (0, 0))
    assert make_solofile(order).path == "dist/Tiny-Chat-F32"
    assert [path.name for path in Path("dist").iterdir()] == ["Tiny-Chat-F32"]


def test_the_command(order: Order, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The report alone stands on stdout; settings end in the manifest."""
    source = str(tmp_path / "models" / "Tiny-Chat.F32.gguf")
    assert (
        run(["build", source, "-o", "chat", "--name", "Mine", "--set", "temp=0.5", "--json"]) == 0
    )
    report = json.loads(capfd.readouterr().out)
    assert (report["path"], report["name"]) == ("chat", "Mine")
    with Container.open(Path("chat")) as container:
        assert read_manifest(container).defaults == {"temp": 0.5}
    assert run(["build", source, "-o", "chat"]) == 0
    assert capfd.readouterr().out.endswith("Run it:           ./chat\n")
    assert zipfile.is_zipfile("chat")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nothing"], 6, "Error: nothing is no source of a model."),
        (["acme/Tiny.gguf"], 6, "Error: There is no file acme/Tiny.gguf."),
        (["acme/Tiny", "--set", "heat=1"], 2, "Error: heat is no setting."),
        (["acme/Tiny", "--target", "amiga"], 7, "Error: amiga is not a target."),
    ],
)
def test_the_command_told_wrong(
    order: Order, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    """What cannot be built is one sentence with a hint."""
    assert run(["build", *arguments]) == code
    assert capsys.readouterr().err.startswith(sentence)
    assert not Path("dist").exists()
