"""A solofile that is rebased is the one that `build` would have made, and its weights stay."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builder import make
from builder.__main__ import run
from builder.change.in_place import changed_in_place, held
from builder.change.journal import journal_path
from builder.change.plan import Plan
from builder.kit.components import Component
from builder.kit.kit import Kit
from builder.sign.secret_key import SecretKey, write_secret_key
from runtime.container import ALIGNMENT, LAUNCHER_ROOM, SIGNATURE_NAME, Container
from runtime.errors import DamagedFileError, UnsupportedError, UsageError
from runtime.manifest import Manifest, read_manifest
from runtime.verify import judge, verify
from tests.builder.patch.solofiles import pack_sparse
from tests.builder.tiny_gguf import TENSORS, write_gguf
from tests.builder.tiny_kit import ANSWERING, make_kit, make_tiny_kit
from tests.killed import killed_at_line
from tests.tiny_lora import write_tiny_lora

COMPONENTS = [
    Component(name="CPython", version="3.11.7", licence="Python-2.0.1", texts=["CPython/LICENSE"]),
    Component(name="zlib", licence="Zlib", purl="pkg:deb/debian/zlib1g@1.2", files=["libz.so.1"]),
    Component(name="llama.cpp", version="b1", licence="MIT", purl="pkg:github/ggml-org/x@12ab"),
    Component(name="odd", licence="Do as you like", purl="pkg:pypi/odd@1"),
    Component(name="both", licence="MIT OR Apache-2.0"),
]


@pytest.fixture(autouse=True)
def a_place_of_its_own(own_cache: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds the cache or the keys of another one."""
    monkeypatch.chdir(own_home)


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """The kit that is at hand."""
    (tmp_path / "kit").mkdir()
    kit = make_tiny_kit(tmp_path / "kit", components=COMPONENTS)
    at_hand(kit, monkeypatch)
    return kit


def at_hand(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a kit the one that is found."""
    for place in ("builder.make", "builder.rebase.contents"):
        monkeypatch.setattr(f"{place}.ensure_kit", lambda *_, **__: kit)


@pytest.fixture
def newer_kit(kit: Kit, tmp_path: Path) -> Kit:
    """Another one, with a larger launcher and another runtime."""
    folder = tmp_path / "newer"
    folder.mkdir()
    (folder / "runtime.pkg").write_bytes(b"another runtime" * 2000)
    (folder / "launcher").write_bytes(ANSWERING + b"#" * 70_000)
    return make_kit(folder, folder / "launcher", solofile="0.2.0", components=COMPONENTS[:2])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of some megabytes, with its card and licence."""
    folder = tmp_path / "model"
    folder.mkdir()
    card = "---\nlicense: llama3.2\nbase_model: acme/tiny\n---\n# Tiny\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "LICENSE").write_text("Do as you like.\n", encoding="utf-8")
    return write_gguf(folder / "Tiny.F32.gguf", tensors=TENSORS | {"big": (1 << 20,)})


@pytest.fixture(params=[False, True], ids=["in place", "cloned"])
def in_place_or_cloned(
    a_place_of_its_own: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder on a disk that clones no files, and one on a disk that does."""
    if request.param:
        monkeypatch.chdir(request.getfixturevalue("cloning_disk"))


def build(model: Path, name: str, *flags: str) -> Path:
    """Build a solofile."""
    assert run(["build", str(model), "-o", name, *flags]) == 0
    return Path(name)


def manifest_of(path: Path) -> Manifest:
    """Return a solofile's manifest."""
    with Container.open(path) as container:
        return read_manifest(container)


CHANGES = [
    [],
    ["--system", "Talk like a pirate.", "--set", "temp=0.2"],
    ["--system", "x" * 9000, "--title", "Pirate", "--example", "Ahoy", "--color", "#123456"],
    ["--name", "Pirate"],
    ["--lora", "a.gguf", "--set", "parallel=2"],
    ["--lora", "a.gguf", "--lora", "b.gguf", "--icon", "icon.svg", "--greeting", "Hi"],
]


@pytest.mark.parametrize("after", CHANGES)
@pytest.mark.usefixtures("in_place_or_cloned")
def test_the_same_bytes_as_a_build(
    kit: Kit,
    model: Path,
    after: list[str],
) -> None:
    """Whatever is changed, in place or into a clone, a build from the model is the same file."""
    write_tiny_lora(Path("a.gguf"), seed=1)
    write_tiny_lora(Path("b.gguf"), seed=2)
    Path("icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    expected = build(model, "expected", *after).read_bytes()
    chat = build(model, "chat")
    assert run(["rebase", "chat", *after]) == 0
    assert chat.read_bytes() == expected
    assert sorted(path.name for path in Path().glob("*chat*")) == ["chat"]
    assert os.access(chat, os.X_OK)


def test_another_kit(
    kit: Kit, newer_kit: Kit, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kit at hand is put in only where that is asked for."""
    chat = build(model, "chat")
    old = chat.read_bytes()
    at_hand(newer_kit, monkeypatch)
    expected = build(model, "expected").read_bytes()
    assert run(["rebase", "chat"]) == 0
    assert chat.read_bytes() == old
    assert run(["rebase", "chat", "--kit"]) == 0
    assert chat.read_bytes() == expected
    assert run(["rebase", "chat", "--set", "temp=0.2"]) == 0
    assert manifest_of(chat).kit.solofile == "0.2.0"
    assert verify(chat) == []


def test_into_a_new_file(kit: Kit, model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The old file stays, and the report tells what of the new one is another."""
    chat = build(model, "chat")
    old = chat.read_bytes()
    capfd.readouterr()
    assert run(["rebase", "chat", "--title", "New", "-o", "new", "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert (report["path"], report["method"]) == (str(Path("new").resolve()), "copied")
    assert report["changed"] == ["solofile.json"]
    assert report["answer"] == "Paris is the capital of France."
    assert chat.read_bytes() == old
    assert manifest_of(Path("new")).branding.title == "New"
    assert verify(Path("new")) == []
    assert run(["rebase", "chat", "-o", "same", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["changed"] == []
    assert Path("same").read_bytes() == old


def test_little_is_written(kit: Kit, model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of a change of the prompt the system sees writes of kilobytes, behind the runtime."""
    if not shutil.which("strace"):
        pytest.skip("strace is not there")
    chat = build(model, "chat")
    with Container.open(chat) as container:
        behind = container.entry("runtime.pkg").end
    inode = chat.stat().st_ino
    command = [
        "strace", "-f", "-y", "-qq", "-e", "trace=write,pwrite64,writev,copy_file_range,lseek",
        "-o", "trace", sys.executable,
    ]  # fmt: skip
    script = "import sys; from builder.__main__ import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [*command, "-c", script, "rebase", "chat", "--system", "Be brief.", "--no-smoke-test"],
        env=os.environ | {"PYTHONPATH": str(Path(make.__file__).parents[1])},
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = Path("trace").read_text(encoding="utf-8").splitlines()
    writes = [line for line in lines if "write" in line and f"{chat.resolve()}>" in line]
    assert writes
    assert sum(int(line.rpartition("= ")[2]) for line in writes) < 20_000
    assert chat.stat().st_ino == inode
    assert manifest_of(chat).defaults == {"system_prompt": "Be brief."}
    assert behind > LAUNCHER_ROOM + model.stat().st_size


def test_what_is_given_up(kit: Kit, model: Path) -> None:
    """Settings, adapters and texts of the page can be taken out again."""
    write_tiny_lora(Path("a.gguf"), seed=1)
    Path("a.LICENSE").write_text("Mine.", encoding="utf-8")
    expected = build(model, "expected").read_bytes()
    flags = ["--set", "temp=0.2", "--set", "top-k=4", "--system", "Hi", "--title", "T"]
    chat = build(model, "chat", *flags, "--lora", "a.gguf")
    assert chat.read_bytes() != expected
    without = ["--unset", "temp", "--unset", "top-k", "--system", "", "--title", "", "--no-lora"]
    assert run(["rebase", "chat", *without]) == 0
    assert chat.read_bytes() == expected


def test_licence_texts(kit: Kit, model: Path) -> None:
    """One of the same name is exchanged, another one added."""
    chat = build(model, "chat")
    Path("LICENSE").write_text("New terms.\n", encoding="utf-8")
    Path("NOTICE").write_text("By us.\n", encoding="utf-8")
    assert run(["rebase", "chat", "--license", "LICENSE", "--license", "NOTICE"]) == 0
    with Container.open(chat) as container:
        texts = [name for name in container.entries if name.startswith("LICENSES/")]
        assert texts == ["LICENSES/LICENSE", "LICENSES/NOTICE"]
        assert container.read("LICENSES/LICENSE") == b"New terms.\n"
    shutil.copy("LICENSE", model.parent)
    shutil.copy("NOTICE", model.parent)
    expected = build(model, "expected")
    assert manifest_of(chat) == manifest_of(expected)
    assert chat.read_bytes() == expected.read_bytes()


def test_signatures(kit: Kit, model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One that does not hold any more goes, inside and beside, or another takes its place."""
    key = SecretKey.new()
    write_secret_key(Path("key"), key, "")
    chat = build(model, "chat", "--sign-key", "key")
    assert run(["rebase", "chat"]) == 0
    assert judge(chat, key=key.public).is_sound, "nothing changed"
    capfd.readouterr()
    assert run(["rebase", "chat", "--set", "temp=0.2"]) == 0
    told = capfd.readouterr().out
    assert "It is not signed any more" in told
    assert "chat.minisig was the old file's signature" in told
    assert not Path("chat.minisig").exists()
    with Container.open(chat) as container:
        assert SIGNATURE_NAME not in container.entries
    assert run(["rebase", "chat", "--set", "temp=0.3", "--sign-key", "key"]) == 0
    assert judge(chat, key=key.public).is_sound
    assert Path("chat.minisig").exists()
    expected = build(model, "expected", "--set", "temp=0.3", "--sign-key", "key")
    assert chat.read_bytes() == expected.read_bytes()


def test_what_is_damaged_is_not_signed(
    kit: Kit, model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A signature vouches for the weights, so they are read before."""
    write_secret_key(Path("key"), SecretKey.new(), "")
    chat = build(model, "chat")
    data = bytearray(chat.read_bytes())
    data[LAUNCHER_ROOM + 5000] ^= 1
    chat.write_bytes(data)
    code = run(["rebase", "chat", "--set", "temp=0.2", "--sign-key", "key"])
    assert code == DamagedFileError.exit_code
    assert "chat is damaged in Tiny.F32.gguf" in capfd.readouterr().err
    assert chat.read_bytes() == data
    data[LAUNCHER_ROOM + 5000] ^= 1
    with Container.open(chat) as container:
        data[container.entry("runtime.pkg").offset] ^= 1
    chat.write_bytes(data)
    assert run(["rebase", "chat", "--set", "temp=0.2"]) == DamagedFileError.exit_code
    assert "chat is damaged in runtime.pkg" in capfd.readouterr().err


def test_weights_beside(kit: Kit, model: Path) -> None:
    """They stay as they are, also where both files were renamed."""
    build(model, "chat", "--sidecar")
    Path("chat").rename("other")
    weights = Path("chat.weights").rename("other.weights")
    facts = weights.stat()
    assert run(["rebase", "other", "--system", "Hi"]) == 0
    assert verify(Path("other")) == []
    now = weights.stat()
    assert (facts.st_ino, facts.st_mtime_ns) == (now.st_ino, now.st_mtime_ns)
    expected = build(model, "expected", "--sidecar", "--system", "Hi")
    manifest = manifest_of(Path("other"))
    assert manifest.sidecar
    assert manifest.sidecar.name == "other.weights"
    assert Path("other").stat().st_size < Path("expected").stat().st_size + 10
    assert manifest.entries == manifest_of(expected).entries
    Path("elsewhere").mkdir()
    assert run(["rebase", "other", "-o", "elsewhere/new"]) == UsageError.exit_code


def test_weights_that_lie_elsewhere(
    kit: Kit, model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A file whose weights begin right behind the launcher is written anew, and that is said."""
    expected = build(model, "expected", "--system", "Hi").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("runtime.container.LAUNCHER_ROOM", 0)
        chat = build(model, "chat")
    assert verify(chat) == []
    capfd.readouterr()
    assert run(["rebase", "chat", "--system", "Hi", "--json"]) == 0
    told = capfd.readouterr()
    assert json.loads(told.out)["method"] == "copied"
    assert "all of it is written anew" in told.err
    assert chat.read_bytes() == expected


@pytest.mark.usefixtures("in_place_or_cloned")
def test_a_file_that_does_not_answer(
    kit: Kit,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The old file is there again, or still."""
    chat = build(model, "chat")
    old = chat.read_bytes()
    (tmp_path / "broken").mkdir()
    at_hand(make_tiny_kit(tmp_path / "broken", launcher=b"#!/bin/sh\nexit 3\n"), monkeypatch)
    assert run(["rebase", "chat", "--kit"]) != 0
    assert "it ended with code 3" in capfd.readouterr().err
    assert chat.read_bytes() == old
    assert not journal_path(chat).exists()
    assert sorted(path.name for path in Path().glob("*chat*")) == ["chat"]


@pytest.mark.usefixtures("in_place_or_cloned")
def test_killed_at_any_line(
    kit: Kit,
    newer_kit: Kit,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 50 moments all over its work, none leaves anything but the old file or the new one."""
    chat = build(model, "chat")
    old = chat.read_bytes()
    at_hand(newer_kit, monkeypatch)
    command = ["rebase", "chat", "--kit", "--system", "Hi", "--no-smoke-test"]
    run([*command[:2], "--set", "temp=0.1", "-o", "imported"])  # What it needs is imported now.
    num_lines = killed_at_line(lambda: run(command), None)
    new = chat.read_bytes()
    assert new != old
    found = set()
    for number in random.Random(8).sample(range(num_lines), 50):
        for left in Path().glob("*chat*"):
            left.unlink()
        chat.write_bytes(old)
        chat.chmod(0o755)
        killed_at_line(lambda: run(command), number)
        assert run(["verify", "chat"]) == 0
        assert chat.read_bytes() in (old, new)
        assert not journal_path(chat).exists()
        found.add(chat.read_bytes() == new)
    assert False in found


def test_built_over_a_half_changed_file(kit: Kit, model: Path) -> None:
    """A build in the place of such a file leaves no journal that would undo it later."""
    chat = build(model, "chat")
    with held(chat), changed_in_place(chat, plan_of(chat).pieces):
        journal = journal_path(chat).read_bytes()
    journal_path(chat).write_bytes(journal)
    expected = build(model, "expected", "--title", "New").read_bytes()
    assert build(model, "chat", "--title", "New").read_bytes() == expected
    assert run(["verify", "chat"]) == 0
    assert chat.read_bytes() == expected
    assert not journal_path(chat).exists()


def plan_of(path: Path) -> Plan:
    """Return a plan of a solofile with something more in it."""
    plan = Plan()
    with Container.open(path) as container:
        plan.write_launcher(path.read_bytes()[: read_manifest(container).launcher.size])
        for name, entry in container.entries.items():
            is_aligned = entry.offset % ALIGNMENT == 0
            plan.add_file(name, path, offset=entry.offset, size=entry.size, aligned=is_aligned)
    plan.add_bytes("more", b"more")
    plan.finish()
    return plan


def test_a_full_disk(
    kit: Kit, model: Path, small_disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The file stays whole."""
    small = write_gguf(small_disk / "Tiny.F32.gguf")
    chat = build(small, "chat")
    with chat.open("rb") as source, (small_disk / "chat").open("wb") as target:
        data = source.read()
        target.write(data[:1000])
        target.seek(LAUNCHER_ROOM - 100)
        target.write(data[LAUNCHER_ROOM - 100 :])
    shutil.copymode(chat, small_disk / "chat")
    (small_disk / "filler").write_bytes(bytes(900_000))
    code = run(["rebase", str(small_disk / "chat"), "--system", "x" * 100_000])
    assert code != 0
    assert "free, and what changes needs" in capfd.readouterr().err
    assert (small_disk / "chat").read_bytes() == data


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["--unset", "top-k"], "has no setting top-k built in"),
        (["--system", "@nothing.md"], "nothing.md cannot be read"),
        (["--set", "nothing=1"], "nothing is no setting"),
        (["--target", "windows-x86_64"], "the name of a program ends in .exe"),
        (["--bake"], "There is no system prompt to bake"),
        (["--lora", "Tiny.F32.gguf"], "is no LoRA adapter"),
    ],
)
def test_what_cannot_be(
    kit: Kit, model: Path, flags: list[str], what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each is one sentence, and the file stays as it is."""
    chat = build(model, "chat")
    shutil.copy(model, "Tiny.F32.gguf")
    old = chat.read_bytes()
    assert run(["rebase", "chat", *flags]) in (UsageError.exit_code, UnsupportedError.exit_code)
    assert what in capfd.readouterr().err
    assert chat.read_bytes() == old


def test_what_is_no_solofile(capfd: pytest.CaptureFixture[str]) -> None:
    """It is said."""
    Path("other").write_bytes(b"x" * 1000)
    assert run(["rebase", "other"]) == DamagedFileError.exit_code
    assert "other is not a solofile" in capfd.readouterr().err


def test_beyond_4_gib(
    kit: Kit, newer_kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Another prompt and another runtime write kilobytes, and never read the weights."""
    model, chat = write_gguf(tmp_path / "model.gguf"), Path("chat")
    pack_sparse(kit, model, chat, defaults={"system_prompt": "One."})
    pack_sparse(newer_kit, model, Path("expected"), defaults={"system_prompt": "Two."})
    at_hand(newer_kit, monkeypatch)
    blocks = chat.stat().st_blocks
    capfd.readouterr()
    command = ["rebase", "chat", "--system", "Two.", "--no-smoke-test", "--json"]
    assert run(command) == 0
    assert json.loads(capfd.readouterr().out)["written"] < 20_000
    assert run([*command, "--kit"]) == 0
    assert json.loads(capfd.readouterr().out)["written"] < 200_000
    assert chat.stat().st_blocks - blocks < 2000
    assert chat.stat().st_size == Path("expected").stat().st_size > 4 << 30
    with Container.open(chat) as ours, Container.open(Path("expected")) as theirs:
        weights = ours.entry("model.gguf")
        assert ours.entries == theirs.entries
        for start, end in ((0, weights.offset), (weights.end, chat.stat().st_size)):
            assert list(ours.range(start, end)) == list(theirs.range(start, end))
