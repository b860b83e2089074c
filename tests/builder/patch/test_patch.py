"""Patches: small, for one file only, and the new file comes out byte by byte or not at all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from builder.__main__ import run
from builder.errors import DiskError
from builder.kit.kit import Kit
from builder.patch.apply import apply_patch
from builder.patch.diff import make_patch
from builder.patch.facts import decode_facts
from builder.patch.report import Made
from builder.sign.secret_key import SecretKey
from builder.sign.sign import embed_signature, write_detached
from builder.sources.source import ModelFile
from runtime.container import Container, ContainerWriter
from runtime.errors import DamagedFileError, UnsupportedError, UsageError
from runtime.verify import verify
from tests.builder.patch.solofiles import pack, pack_sparse, write_kit, write_new_kit
from tests.builder.tiny_gguf import write_gguf
from tests.damage import flip

ROOT = Path(__file__).parents[3]
KEY = SecretKey.new()


@pytest.fixture
def kits(tmp_path: Path) -> list[Kit]:
    """An old kit and a new one."""
    return [write_kit(tmp_path / "old kit"), write_new_kit(tmp_path / "new kit")]


@pytest.fixture
def old(tmp_path: Path, kits: list[Kit]) -> Path:
    """The old solofile."""
    write_gguf(tmp_path / "model.gguf", tensors={"token_embd.weight": (512, 512)})
    pack(kits[0], tmp_path / "model.gguf", tmp_path / "old", defaults={"temp": 0.5})
    return tmp_path / "old"


@pytest.fixture
def new(old: Path, kits: list[Kit]) -> Path:
    """The new one: another launcher, another runtime, other settings, and signed."""
    path, model = old.with_name("new"), old.with_name("model.gguf")
    defaults = {"temp": 0.7, "system_prompt": "You are a pirate."}
    pack(kits[1], model, path, defaults=defaults, card=b"# Tiny\n", signer=KEY)
    return path


@pytest.fixture
def made(old: Path, new: Path) -> Made:
    """A patch from one to the other."""
    return make_patch(old, new, old.with_name("update.patch"))


def patch_of(old: Path) -> Path:
    """Return where the patch lies."""
    return old.with_name("update.patch")


def visible(folder: Path) -> set[str]:
    """Return the files in a folder, temporary ones too."""
    return {path.name for path in folder.iterdir()}


def test_byte_for_byte(old: Path, new: Path, made: Made) -> None:
    """Into a new file, and in the place of the old one; nothing else is left."""
    before, files = old.read_bytes(), visible(old.parent)
    done = apply_patch(old, patch_of(old), old.with_name("made"), key=KEY.public)
    assert old.with_name("made").read_bytes() == new.read_bytes()
    assert old.read_bytes() == before
    assert done.verdict.signature
    assert done.verdict.signature.is_valid
    apply_patch(old, patch_of(old), None)
    assert old.read_bytes() == new.read_bytes()
    assert visible(old.parent) == files | {"made"}
    assert subprocess.check_output([old], text=True).startswith("Paris")


def test_the_signature_beside(made: Made, old: Path, new: Path) -> None:
    """The new file's is carried; where there is none, the old file's is not left."""
    beside = old.with_name("old.minisig")
    write_detached(old, KEY)
    before = old.read_bytes()
    apply_patch(old, patch_of(old), None)
    assert not beside.exists()
    old.write_bytes(before)
    signature = write_detached(new, KEY).read_bytes()
    make_patch(old, new, patch_of(old))
    apply_patch(old, patch_of(old), None)
    assert beside.read_bytes() == signature


def test_where_files_share_blocks(old: Path, new: Path, made: Made, cloning_disk: Path) -> None:
    """There a clone takes the old one's place, whatever leads to that, and who may use it stays."""
    there, link = cloning_disk / "chat", cloning_disk / "link"
    there.write_bytes(old.read_bytes())
    there.chmod(0o700)
    link.symlink_to(there)
    inode = there.stat().st_ino
    apply_patch(link, patch_of(old), None)
    assert there.read_bytes() == new.read_bytes()
    assert (there.stat().st_ino != inode, there.stat().st_mode & 0o777) == (True, 0o700)
    assert link.is_symlink()
    assert visible(cloning_disk) == {"chat", "link"}


def test_only_what_changed(made: Made, old: Path, new: Path) -> None:
    """The weights stay out, and of the runtime little but the change is carried."""
    packed = {one.name: one.packed for one in made.carried}
    with Container.open(new) as container:
        changed = {*container.entries, "launcher", "headers"} - {"model.gguf"}
    assert set(packed) == changed
    assert packed["runtime.pkg"] < 1000
    assert made.size == patch_of(old).stat().st_size < 12_000
    assert made.new_size == new.stat().st_size > 1 << 20


def test_the_same_patch_twice(made: Made, old: Path, new: Path) -> None:
    """It depends on nothing but the two files."""
    make_patch(old, new, old.with_name("again"))
    assert old.with_name("again").read_bytes() == patch_of(old).read_bytes()


def test_two_that_are_the_same(old: Path, kits: list[Kit]) -> None:
    """That is told, and no patch is written; one that somebody signed is another."""
    copy = old.with_name("copy")
    copy.write_bytes(old.read_bytes())
    for new in (old, copy):
        with pytest.raises(UsageError, match=f"{new} is the same as {old}, so there is nothing"):
            make_patch(old, new, patch_of(old))
    assert not patch_of(old).exists()
    signature = write_detached(copy, KEY)
    made = make_patch(old, copy, patch_of(old))
    assert "FILE.minisig" in [one.name for one in made.carried]
    signature.unlink()
    embed_signature(copy, KEY)
    make_patch(old, copy, patch_of(old))
    apply_patch(old, patch_of(old), None, key=KEY.public)
    assert old.read_bytes() == copy.read_bytes()


def test_another_base(made: Made, old: Path, new: Path, kits: list[Kit]) -> None:
    """It is refused in one sentence, as is the file that came out of the patch before."""
    other = old.with_name("other")
    pack(kits[0], old.with_name("model.gguf"), other, defaults={"temp": 0.6})
    before = other.read_bytes()
    for output in (None, old.with_name("made")):
        with pytest.raises(
            DamagedFileError, match=r"update\.patch is for another file than .*other"
        ):
            apply_patch(other, patch_of(old), output)
        with pytest.raises(UsageError, match=r"new is what .*update\.patch makes already"):
            apply_patch(new, patch_of(old), output)
    assert other.read_bytes() == before
    assert not old.with_name("made").exists()


def test_the_base_may_be_signed(made: Made, old: Path, new: Path) -> None:
    """Who signed it meanwhile does not matter."""
    embed_signature(old, SecretKey.new())
    apply_patch(old, patch_of(old), None, key=KEY.public)
    assert old.read_bytes() == new.read_bytes()


def test_every_flipped_byte_of_a_patch(made: Made, old: Path) -> None:
    """It is found and its part named before anything is written."""
    patch = patch_of(old)
    with Container.open(patch) as container:
        places = {name: container.entry(name).offset + 5 for name in container.entries}
    for name, offset in places.items():
        flip(patch, offset)
        with pytest.raises(DamagedFileError, match=f"{name.replace('.', '[.]')}"):
            apply_patch(old, patch, None)
        flip(patch, offset)
    before = old.read_bytes()
    for offset in range(0, made.size, made.size // 150):
        flip(patch, offset)
        with pytest.raises(DamagedFileError):
            apply_patch(old, patch, None)
        flip(patch, offset)
    assert old.read_bytes() == before


def test_a_patch_that_is_cut_short(made: Made, old: Path) -> None:
    """It is none any more."""
    with patch_of(old).open("r+b") as file:
        file.truncate(made.size - 1)
    with pytest.raises(DamagedFileError, match=r"update\.patch is no patch, or it is cut short"):
        apply_patch(old, patch_of(old), None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"solofile": []}, r"patch\.json in .* makes no sense"),
        ({"solofile": [{"size": -1}]}, r"patch\.json in .* makes no sense"),
        ({"solofile": [{"size": 1 << 40}]}, "names bytes that are not there"),
        ({"solofile": [{"size": 9, "part": "../x"}]}, r"old holds no \.\./x"),
        ({"solofile": [{"size": 9, "data": "patch.json"}]}, "names bytes that are not there"),
        ({"solofile": [{"size": 1 << 40, "part": "launcher"}]}, "names bytes that are not there"),
        (
            {"solofile": [{"size": 9, "part": "launcher"}]},
            "applied: the new file is not a",
        ),
        ({"data": []}, "names bytes that are not there"),
    ],
)
def test_a_hostile_patch(made: Made, old: Path, change: dict[str, object], sentence: str) -> None:
    """Whatever it says, the old file stays, and nothing else is written."""
    with Container.open(patch_of(old)) as container:
        facts = json.loads(container.read("patch.json")) | change
        entries = [(name, container.read(name)) for name in container.entries][:-1]
    hostile, before = old.with_name("hostile.patch"), old.read_bytes()
    with hostile.open("w+b") as file:
        writer = ContainerWriter(file)
        names = {data["name"] for data in facts["data"]}
        for name, data in entries:
            if name in names:
                writer.add_bytes(name, data)
        writer.add_bytes("patch.json", json.dumps(facts).encode())
        writer.finish()
    files = visible(old.parent)
    for output in (None, old.with_name("made")):
        with pytest.raises(DamagedFileError, match=sentence):
            apply_patch(old, hostile, output)
    assert old.read_bytes() == before
    assert visible(old.parent) == files


def test_a_patch_of_a_newer_version(tmp_path: Path) -> None:
    """It is told from a damaged one, and what to do."""
    text = b'{"format_version": "2.0", "weights": 7}'
    sentence = r"The patch .*update is in format 2\.0, and solofile .* up to 1\.0\. Use a newer"
    with pytest.raises(UnsupportedError, match=sentence):
        decode_facts(text, tmp_path / "update")
    with pytest.raises(DamagedFileError, match="makes no sense"):
        decode_facts(text.replace(b"2.0", b"x"), tmp_path / "update")


def test_no_patch(made: Made, old: Path, new: Path) -> None:
    """Another solofile is told from one."""
    with pytest.raises(UsageError, match=r"new is no patch\. Make one with `diff`"):
        apply_patch(old, new, None)


@pytest.mark.parametrize("output", [None, "made"])
def test_a_damaged_base(made: Made, old: Path, output: str | None) -> None:
    """The part that would be kept is named; the file stays as it was."""
    with Container.open(old) as container:
        flip(old, container.entry("model.gguf").end - 1)
    before = old.read_bytes()
    with pytest.raises(DamagedFileError, match=r"old is damaged in model\.gguf, and nothing was"):
        apply_patch(old, patch_of(old), old.with_name(output) if output else None)
    assert old.read_bytes() == before
    assert visible(old.parent) >= {"old", "new"}
    assert "made" not in visible(old.parent)


def test_damage_in_what_is_replaced_does_not_matter(made: Made, old: Path, new: Path) -> None:
    """A base whose runtime is damaged is healed where nothing of it is needed."""
    with Container.open(old) as container:
        flip(old, container.entry("sbom.cdx.json").header_offset + 20)
    apply_patch(old, patch_of(old), None)
    assert old.read_bytes() == new.read_bytes()


def test_signed_by_another(made: Made, old: Path) -> None:
    """Where a key is named, what is not signed by that does not come into being."""
    before = old.read_bytes()
    with pytest.raises(DamagedFileError, match="not applied: the new file is not signed by"):
        apply_patch(old, patch_of(old), None, key=SecretKey.new().public)
    assert old.read_bytes() == before


def test_a_damaged_new_file(old: Path, new: Path) -> None:
    """No patch is made of it."""
    with Container.open(new) as container:
        offset = container.entry("runtime.pkg").offset
    flip(new, offset)
    with pytest.raises(DamagedFileError, match=r"new is damaged in runtime\.pkg"):
        make_patch(old, new, patch_of(old))
    assert not patch_of(old).exists()


def test_a_model_with_another_template(old: Path, kits: list[Kit]) -> None:
    """The header changes, and moves all tensors; those are not carried."""
    model, new = old.with_name("other.gguf"), old.with_name("new")
    metadata = {"general.description": "x" * 500}
    write_gguf(model, tensors={"token_embd.weight": (512, 512)}, metadata=metadata)
    pack(kits[0], model, new)
    made = make_patch(old, new, patch_of(old))
    assert made.size < 20_000
    apply_patch(old, patch_of(old), None)
    assert old.read_bytes() == new.read_bytes()


def test_other_weights_and_a_companion(old: Path, kits: list[Kit]) -> None:
    """Other tensors are carried whole; an entry that moves behind a new one is not."""
    model, new = old.with_name("other.gguf"), old.with_name("new")
    write_gguf(model, tensors={"token_embd.weight": (512, 512)}, quantized=True)
    draft = ModelFile(old.with_name("model.gguf"), "small.gguf")
    pack(kits[0], model, new, weights_name="model-Q8_0.gguf", draft=draft)
    made = make_patch(old, new, patch_of(old))
    carried = {one.name: one.size for one in made.carried}
    assert carried["model-Q8_0.gguf"] == model.stat().st_size
    assert {"draft/small.gguf", "runtime.pkg"}.isdisjoint(carried)
    apply_patch(old, patch_of(old), None)
    assert old.read_bytes() == new.read_bytes()


def test_weights_beside(old: Path, kits: list[Kit]) -> None:
    """They are a part like others: moved beside, kept there, and not changed in place."""
    model, new = old.with_name("model.gguf"), old.with_name("new")
    pack(kits[0], model, new, is_beside=True)
    made = make_patch(old, new, patch_of(old))
    assert made.size < 10_000
    output = old.with_name("made")
    apply_patch(old, patch_of(old), output)
    assert output.read_bytes() == new.read_bytes()
    assert old.with_name("made.weights").read_bytes() == new.with_name("new.weights").read_bytes()
    with pytest.raises(UnsupportedError, match=r"The file of weights beside .* changes, too"):
        apply_patch(old, patch_of(old), None)

    (old.parent / "third").mkdir()
    third = old.parent / "third" / "new"
    pack(kits[1], model, third, is_beside=True, defaults={"temp": 0.1})
    make_patch(output, third, patch_of(old))
    inode = old.with_name("made.weights").stat().st_ino
    apply_patch(output, patch_of(old), None)
    assert output.read_bytes() == third.read_bytes()
    assert old.with_name("made.weights").stat().st_ino == inode
    assert verify(output) == []


HANG = """
import sys, time
from builder import __main__
from builder.patch import apply

def hang(*arguments, **others):
    print("ready", flush=True)
    time.sleep(60)

apply.judge = hang
sys.argv = ["solofile", "patch", *sys.argv[1:]]
__main__.main()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("is_in_place", [True, False])
def test_interrupted(
    made: Made, old: Path, new: Path, number: signal.Signals, is_in_place: bool
) -> None:
    """Once all is written, and nothing is checked: the next command finds the old file, or none."""
    before, output = old.read_bytes(), old.with_name("made")
    options = ["--in-place"] if is_in_place else ["-o", str(output)]
    command = [sys.executable, "-c", HANG, str(old), str(patch_of(old)), *options]
    process = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
    assert not output.exists()
    assert run(["verify", str(old)]) == 0
    assert old.read_bytes() == before
    assert run(["patch", str(old), str(patch_of(old)), *options]) == 0
    assert (old if is_in_place else output).read_bytes() == new.read_bytes()


def test_a_full_disk(made: Made, old: Path, new: Path, small_disk: Path) -> None:
    """It is told, before anything is written if possible, and nothing is left."""
    with pytest.raises(DiskError, match=f"The disk with {small_disk} has"):
        apply_patch(old, patch_of(old), small_disk / "made")
    assert list(small_disk.iterdir()) == []
    (small_disk / "filler").write_bytes(bytes(1020 << 10))
    with pytest.raises(DiskError, match=f"The disk with {small_disk} has .* free, and what is in"):
        apply_patch(old, patch_of(old), small_disk / "made")
    with pytest.raises(DiskError, match=f"The disk with {small_disk} is full"):
        make_patch(old, new, small_disk / "update.patch")
    assert visible(small_disk) == {"filler"}


def test_the_commands(
    old: Path, new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They tell what they did, as text and as JSON."""
    patch = str(patch_of(old))
    assert run(["diff", str(old), str(new), "-o", patch]) == 0
    assert f"make {new} of {old}" in capsys.readouterr().out
    assert run(["diff", str(old), str(new), "-o", patch, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["size"] == Path(patch).stat().st_size
    assert run(["diff", str(old), str(new), "-o", str(new)]) == 2
    assert run(["patch", str(old), patch]) == 2
    assert "Name a new file with -o, or say --in-place." in capsys.readouterr().err
    assert run(["patch", str(old), patch, "-o", str(old)]) == 2
    assert "Say --in-place to change it." in capsys.readouterr().err
    assert run(["patch", str(old), patch, "-o", str(tmp_path / "made"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"]["is_sound"] is True
    assert run(["patch", str(old), patch, "--in-place"]) == 0
    assert f"{old} is sound" in capsys.readouterr().out


def test_beyond_4_gib(tmp_path: Path, kits: list[Kit]) -> None:
    """A patch of kilobytes changes runtime and prompt of such a file, and writes little."""
    model, old, new = (tmp_path / name for name in ("model.gguf", "old", "new"))
    write_gguf(model)
    pack_sparse(kits[0], model, old, defaults={"system_prompt": "One."})
    pack_sparse(kits[1], model, new, defaults={"system_prompt": "Two."})
    assert make_patch(old, new, patch_of(old)).size < 20_000
    before = old.stat().st_blocks
    apply_patch(old, patch_of(old), None)
    assert old.stat().st_blocks - before < 2000
    assert old.stat().st_size == new.stat().st_size > 4 << 30
    with Container.open(new) as container:
        weights = container.entry("model.gguf")
    for start, end in ((0, weights.offset), (weights.end, new.stat().st_size)):
        assert part(old, start, end) == part(new, start, end)


def part(path: Path, start: int, end: int) -> bytes:
    """Return a file's bytes from one offset to another."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)
