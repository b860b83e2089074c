"""Making bundles: what is in them, that it is the same each time, signed, or refused."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.__main__ import run
from builder.sign.own_key import make_own_key
from builder.targets import TARGETS, host_target
from runtime.container import Container
from runtime.manifest import Manifest, read_manifest
from runtime.minisign import PublicKey
from runtime.payload import find_payload
from runtime.verify import judge, verify
from tests.builder.bundle.shell import OTHER
from tests.builder.sign.minisign_program import minisign
from tests.builder.tiny_gguf import write_gguf
from tests.damage import flip

HOST = host_target().name
BOTH = ("--target", HOST, "--target", OTHER)
HANG_BEFORE_ITS_END = """
import sys, time
from builder import __main__
from builder.bundle import bundle

def hang(*arguments):
    print("ready", flush=True)
    time.sleep(60)

bundle.write_scripts = hang
sys.argv = ["solofile", "bundle", *sys.argv[1:]]
__main__.main()
"""
pytestmark = pytest.mark.usefixtures("kits")


@pytest.fixture
def key() -> PublicKey:
    """The user's own key, without a passphrase."""
    return make_own_key(is_protected=False)[1]


def manifest_of(path: Path) -> Manifest:
    """Return a solofile's manifest."""
    with Container.open(path) as container:
        return read_manifest(container)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every file's content by its path in a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def passes_sha256sum(folder: Path) -> bool:
    """Say whether coreutils finds all files as the list tells, and the list names all of them."""
    done = subprocess.run(
        ["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=False
    )
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    listed = {line.partition("  ")[2] for line in lines}
    unlisted = bytes_of(folder).keys() - listed
    return done.returncode == 0 and unlisted <= {"SHA256SUMS", "SHA256SUMS.minisig"}


def test_two_systems_share_weights(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The weights are there once, both solofiles find them, and each starts."""
    folder = tmp_path / "stick"
    assert run(["bundle", str(model), "-o", str(folder), *BOTH, "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    names = [f"Tiny-F32-{HOST}", f"Tiny-F32-{OTHER}"]
    assert [one["file"] for one in report["solofiles"]] == names
    assert {one["weights"] for one in report["solofiles"]} == {"Tiny-F32.weights"}
    assert report["size"] < 1.1 * model.stat().st_size
    assert report["size"] == sum(map(len, bytes_of(folder).values()))
    assert report["files"] == len(bytes_of(folder))
    for name, target in zip(names, (HOST, OTHER), strict=True):
        assert verify(folder / name) == []
        assert manifest_of(folder / name).kit.target == target
    assert "Paris" in subprocess.check_output([folder / "start.sh"], text=True)
    assert passes_sha256sum(folder)
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.usefixtures("all_kits")
def test_every_system_shares_weights(model: Path, tmp_path: Path) -> None:
    """Those of Windows, too, whose files have an ending of their own."""
    folder = tmp_path / "stick"
    assert run(["bundle", str(model), "-o", str(folder), "--target", "all"]) == 0
    names = [f"Tiny-F32-{target.name}{target.executable_suffix}" for target in TARGETS.values()]
    assert sorted(path.name for path in folder.glob("Tiny*")) == sorted(
        [*names, "Tiny-F32.weights"]
    )
    for name in names:
        assert verify(folder / name) == []
        assert find_payload(folder / name).weights.path == folder / "Tiny-F32.weights"
    readme = (folder / "README.txt").read_text()
    assert all(f"\n{name} " in readme for name in names)
    assert "double-click start.command" in readme
    assert passes_sha256sum(folder)


def test_killed_and_run_again(model: Path, tmp_path: Path) -> None:
    """There is no bundle before it is whole, and what is left of one goes with the next."""
    flags = [str(model), "-o", str(tmp_path / "stick")]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", HANG_BEFORE_ITS_END, *flags],
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
    (part,) = tmp_path.glob(".stick.*")
    assert not (tmp_path / "stick").exists()
    os.utime(part, (0, 0))
    assert run(["bundle", *flags]) == 0
    assert not part.exists()
    assert passes_sha256sum(tmp_path / "stick")


def test_one_system_has_one_file(model: Path, tmp_path: Path) -> None:
    """It is the same file that `build` makes."""
    assert run(["bundle", str(model), "-o", str(tmp_path / "stick")]) == 0
    assert run(["build", str(model), "-o", str(tmp_path / "chat")]) == 0
    assert (tmp_path / "stick" / "Tiny-F32").read_bytes() == (tmp_path / "chat").read_bytes()
    assert not list((tmp_path / "stick").glob("*.weights"))


def test_what_auditors_read(model: Path, tmp_path: Path) -> None:
    """There is a bill of materials of each solofile, and the licences of what is inside."""
    folder = tmp_path / "stick"
    assert run(["bundle", str(model), "-o", str(folder), *BOTH]) == 0
    for target in (HOST, OTHER):
        name = f"Tiny-F32-{target}"
        with Container.open(folder / name) as container:
            sbom = container.read("sbom.cdx.json")
        assert (folder / "sbom" / f"{name}.cdx.json").read_bytes() == sbom
        text = (folder / "licences" / f"{name}.txt").read_text()
        assert "==== runtime: zstd-1.5.7/LICENSE ====\nDo as you like.\n" in text


def test_the_same_bytes(model: Path, tmp_path: Path, key: PublicKey) -> None:
    """Whatever the user's mask, in the folder and in the tar, where times are no facts."""
    made = []
    flags = [*BOTH, "--sign", "--tar"]
    for number, mask in enumerate((0o022, 0o077)):
        (tmp_path / str(number)).mkdir()
        folder = tmp_path / str(number) / "stick"
        old = os.umask(mask)
        try:
            assert run(["bundle", str(model), "-o", str(folder), *flags]) == 0
        finally:
            os.umask(old)
        made.append((bytes_of(folder), folder.with_name("stick.tar").read_bytes()))
        shutil.rmtree(folder)
    assert made[0] == made[1]


def test_the_tar_holds_the_folder(model: Path, tmp_path: Path) -> None:
    """Below its name, with programs that may be run."""
    folder = tmp_path / "stick"
    assert run(["bundle", str(model), "-o", str(folder), "--tar"]) == 0
    with tarfile.open(tmp_path / "stick.tar") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    assert bytes_of(tmp_path / "out" / "stick") == bytes_of(folder)
    done = subprocess.check_output([tmp_path / "out" / "stick" / "start.sh"], text=True)
    assert "Paris" in done


def test_signed(model: Path, tmp_path: Path, key: PublicKey) -> None:
    """The stock program accepts the list's signature, until the list is another."""
    folder = tmp_path / "stick"
    assert run(["bundle", str(model), "-o", str(folder), "--sign"]) == 0
    sums = folder / "SHA256SUMS"
    assert minisign("-V", "-m", sums, "-p", folder / "signer.pub").returncode == 0
    assert minisign("-V", "-m", sums, "-P", key.line).returncode == 0
    assert judge(folder / "Tiny-F32", key=key).is_sound
    assert passes_sha256sum(folder)
    readme = (folder / "README.txt").read_text()
    assert f"signed by the key {key.number}" in readme
    assert f"minisign -Vm SHA256SUMS -P {key.line}\n" in readme
    flip(sums, 3)
    assert minisign("-V", "-m", sums, "-P", key.line).returncode != 0


def test_a_finished_solofile_is_carried_as_it_is(
    model: Path, tmp_path: Path, key: PublicKey
) -> None:
    """So is what was signed by others; the list is signed, and the file is not touched."""
    chat = tmp_path / "chat"
    assert run(["build", str(model), "-o", str(chat), "--sidecar", "--name", "Pirate"]) == 0
    folder = tmp_path / "stick"
    assert run(["bundle", str(chat), "-o", str(folder), "--sign"]) == 0
    assert (folder / "chat").read_bytes() == chat.read_bytes()
    assert (folder / "chat.weights").read_bytes() == (tmp_path / "chat.weights").read_bytes()
    assert (folder / "chat").stat().st_mode & 0o777 == 0o755
    assert minisign("-V", "-m", folder / "SHA256SUMS", "-P", key.line).returncode == 0
    assert (folder / "README.txt").read_text().startswith("Pirate\n======\n")


def test_a_finished_solofile_for_other_systems(model: Path, tmp_path: Path) -> None:
    """With a flag it is a source like any other."""
    assert run(["build", str(model), "-o", str(tmp_path / "chat"), "--set", "seed=7"]) == 0
    folder = tmp_path / "stick"
    assert run(["bundle", str(tmp_path / "chat"), "-o", str(folder), *BOTH]) == 0
    for target in (HOST, OTHER):
        assert manifest_of(folder / f"Tiny-F32-{target}").defaults == {"seed": 7}


def test_several_finished_solofiles(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """All are there; that weights are there twice is told."""
    files = []
    for target in (HOST, OTHER):
        files.append(str(tmp_path / f"chat-{target}"))
        assert run(["build", str(model), "-o", files[-1], "--target", target]) == 0
    capfd.readouterr()
    folder = tmp_path / "stick"
    assert run(["bundle", *files, "-o", str(folder)]) == 0
    assert "The same weights are in several" in capfd.readouterr().err
    for file in files:
        assert (folder / Path(file).name).read_bytes() == Path(file).read_bytes()


def test_a_recipe_of_two_models(model: Path, tmp_path: Path) -> None:
    """Each model has weights of its own, and each system's list has both."""
    write_gguf(tmp_path / "Other.F32.gguf")
    recipe = tmp_path / "both.toml"
    recipe.write_text(
        f'targets = ["{HOST}", "{OTHER}"]\n'
        '[[model]]\nsource = "Tiny.F32.gguf"\nname = "One"\n'
        '[[model]]\nsource = "Other.F32.gguf"\nname = "Two"\noutput = "elsewhere/two"\n'
    )
    folder = tmp_path / "stick"
    assert run(["bundle", str(recipe), "-o", str(folder)]) == 0
    listed = (folder / "systems" / f"{OTHER}.sha256").read_text().splitlines()
    names = [f"One-{OTHER}", "One.weights", f"Two-{OTHER}", "Two.weights"]
    assert [line.partition("  ")[2] for line in listed] == names
    assert [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names] == [
        line.partition("  ")[0] for line in listed
    ]
    done = subprocess.run([folder / "start.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "There are several solofiles here." in done.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_fat32_cuts_only_what_is_too_large(model: Path, tmp_path: Path) -> None:
    """This model fits, and stays in one piece."""
    folder = tmp_path / "stick"
    assert run(["bundle", str(model), "-o", str(folder), "--media", "fat32"]) == 0
    assert (folder / "Tiny-F32").is_file()
    assert not list(folder.glob("*.001"))


def both_of_one_name(folder: Path) -> list[str]:
    """Put a copy of a solofile into another folder, called alike but for large letters."""
    (folder / "again").mkdir()
    return [str(folder / "chat"), str(shutil.copy(folder / "chat", folder / "again" / "CHAT"))]


def damaged(folder: Path) -> list[str]:
    """Damage a solofile."""
    flip(folder / "chat", 2_000_000)
    return [str(folder / "chat")]


def badly_named(folder: Path) -> list[str]:
    """Give a solofile a name that Windows does not take."""
    return [str((folder / "chat").rename(folder / "chat: 1"))]


def taken(folder: Path) -> list[str]:
    """Put something where the bundle shall be."""
    (folder / "stick").mkdir()
    (folder / "stick" / "mine").write_text("mine")
    return [str(folder / "chat")]


@pytest.mark.parametrize(
    ("prepare", "flags", "code", "message"),
    [
        (both_of_one_name, [], 2, "have the same name. Rename one of them"),
        (damaged, [], 3, "is damaged in Tiny.F32.gguf."),
        (badly_named, [], 2, "takes 'chat: 1' as a file's name"),
        (taken, [], 2, "is there already. Remove it, or name a new folder."),
        (lambda folder: [str(folder / "chat")] * 2, ["--name", "x"], 2, "Several sources"),
        (lambda folder: ["chat", "none"], [], 2, "Several sources cannot be made into one"),
        (lambda folder: ["none.gguf"], [], 6, "There is no file none.gguf."),
        (lambda folder: [str(folder / "chat")], ["--target", "macos-arm64"], 7, "no kit for macos"),
        (lambda folder: [str(folder / "chat")], ["--volume-size", "x"], 2, "x is no size."),
        (lambda folder: [str(folder / "chat")], ["--volume-size", "9kB"], 2, "are too small"),
        (
            lambda folder: [str(folder / "chat")],
            ["--tar", "--media", "fat32"],
            2,
            "exclude each other",
        ),
        (lambda folder: [str(folder / "chat")], ["--sign"], 2, "There is no key"),
    ],
)
def test_what_is_refused(
    model: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    prepare: Callable[[Path], list[str]],
    flags: list[str],
    code: int,
    message: str,
) -> None:
    """It is one sentence, and nothing is left."""
    assert run(["build", str(model), "-o", str(tmp_path / "chat")]) == 0
    sources = prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    capfd.readouterr()
    assert run(["bundle", *sources, "-o", str(tmp_path / "stick"), *flags]) == code
    told = capfd.readouterr().err.replace("\n", " ")
    assert message in told
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_used(model: Path, tmp_path: Path) -> None:
    """Nothing in it is lost."""
    (tmp_path / "stick").mkdir()
    assert run(["bundle", str(model), "-o", str(tmp_path / "stick")]) == 0
    assert (tmp_path / "stick" / "SHA256SUMS").is_file()


def test_a_whole_disk_is_not_replaced(
    model: Path, small_disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A folder on it is meant."""
    assert run(["bundle", str(model), "-o", str(small_disk)]) == 2
    assert f"Name a new folder on it, as {small_disk / 'model'}." in capfd.readouterr().err


def test_a_full_disk(model: Path, small_disk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is told, and nothing is left on it."""
    assert run(["bundle", str(model), "-o", str(small_disk / "stick")]) == 5
    assert "Error: The disk with" in capfd.readouterr().err
    assert list(small_disk.iterdir()) == []
