"""Apps for macOS: their files, their signature and their zip."""

import hashlib
import os
import plistlib
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from builder.errors import DiskError
from builder.icon import IconFile
from builder.kit.kit import Kit
from builder.macos.app import AppOrder, write_app
from builder.macos.seal import SIGNER
from builder.pypi import install_tools
from builder.targets import TARGETS
from runtime.verify import verify
from tests.builder.macos.test_icns import square
from tests.macho import AD_HOC, MachOFile

ORDER = AppOrder('R&D <"Ahoy">')


def make_app(solofile: Path, kit: Kit, order: AppOrder = ORDER) -> Path:
    """Make an app, and return its folder `Contents`."""
    app, _, _ = write_app(solofile, kit, TARGETS[kit.info.target], order)
    return app / "Contents"


def test_it_says_what_finder_asks(solofile: Path, kit: Kit) -> None:
    """Title, program, system, icon; characters that XML has a meaning for are kept."""
    icon = IconFile("icon.png", square(64))
    contents = make_app(solofile, kit, AppOrder(ORDER.title, "org.example.ahoy", icon))
    info = plistlib.loads((contents / "Info.plist").read_bytes())
    assert info["CFBundleName"] == info["CFBundleDisplayName"] == ORDER.title
    assert info["CFBundleIdentifier"] == "org.example.ahoy"
    assert (contents / "MacOS" / info["CFBundleExecutable"]).stat().st_mode & 0o777 == 0o755
    assert (contents / "Resources" / f"{info['CFBundleIconFile']}.icns").is_file()
    assert info["LSMinimumSystemVersion"] == "11.0"
    assert info["LSUIElement"] is True
    assert info["CFBundlePackageType"] == "APPL"


def test_it_asks_for_the_macos_that_its_runtime_does(solofile: Path, kit: Kit) -> None:
    """Finder then refuses older ones with a sentence of its own."""
    newer = replace(kit, info=msgspec.structs.replace(kit.info, macos="14.2"))
    contents = make_app(solofile, newer)
    info = plistlib.loads((contents / "Info.plist").read_bytes())
    assert info["LSMinimumSystemVersion"] == "14.2"


def test_the_solofile_in_it_is_whole(solofile: Path, kit: Kit) -> None:
    """It is the same file, so it takes no room, and it can be started by itself."""
    inside = make_app(solofile, kit) / "Resources" / "model.solofile"
    assert inside.samefile(solofile)
    assert verify(inside) == []
    assert os.access(inside, os.X_OK)


def test_where_files_have_one_name_it_is_a_copy(
    solofile: Path, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems know no second name."""

    def refuse(*_: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", refuse)
    inside = make_app(solofile, kit) / "Resources" / "model.solofile"
    assert not inside.samefile(solofile)
    assert inside.read_bytes() == solofile.read_bytes()
    assert os.access(inside, os.X_OK)


def test_a_signature_covers_all_of_it(solofile: Path, kit: Kit) -> None:
    """The program ends with its signature, which holds the digests of all other files."""
    contents = make_app(solofile, kit)
    program = MachOFile(contents / "MacOS" / "model")
    signature = program.signature()
    assert signature.flags == AD_HOC
    assert signature.identifier == b"local.solofile.r-d-ahoy"
    assert not signature.wrong_pages
    assert signature.code_limit == signature.offset
    assert signature.end == max(end for _, _, end in program.segments)
    assert signature.end == (contents / "MacOS" / "model").stat().st_size
    seal = contents / "_CodeSignature" / "CodeResources"
    for number, path in ((1, contents / "Info.plist"), (3, seal)):
        assert signature.special_slots[number] == hashlib.sha256(path.read_bytes()).digest()
    resources = plistlib.loads(seal.read_bytes())["files2"]
    listed = {contents / name for name in resources}
    assert listed == set((contents / "Resources").iterdir())
    for name, digests in resources.items():
        assert digests["hash2"] == hashlib.sha256((contents / name).read_bytes()).digest()


def test_others_seal_it_the_same_way(kit: Kit, tmp_path: Path) -> None:
    """A signer of whole apps lists the same digests and makes the same program.

    It reads each file at once, which weights are too large for; and it would sign a solofile too,
    and lose what is behind its launcher, so here some other file takes its place.
    """
    plain = tmp_path / "model"
    plain.write_bytes(bytes(range(256)))
    contents = make_app(plain, kit)
    app = tmp_path / "theirs.app"
    shutil.copytree(contents, app / "Contents")
    shutil.rmtree(app / "Contents" / "_CodeSignature")
    shutil.copyfile(kit.launcher, app / "Contents" / "MacOS" / "model")
    subprocess.run(
        [sys.executable, "-c", "import apple_platform, sys; apple_platform.sign(sys.argv[1])", app],
        env=os.environ | {"PYTHONPATH": str(install_tools(SIGNER.replace("==", "-"), [SIGNER]))},
        check=True,
    )
    seals = [root / "_CodeSignature" / "CodeResources" for root in (contents, app / "Contents")]
    ours, theirs = (plistlib.loads(path.read_bytes()) for path in seals)
    assert ours == theirs


def test_the_same_app_is_the_same_bytes(solofile: Path, kit: Kit) -> None:
    """A second one takes the first one's place."""
    first = make_app(solofile, kit)
    archive = solofile.with_name("model.app.zip")
    before = archive.read_bytes()
    (first / "Resources" / "older").touch()
    make_app(solofile, kit)
    assert not (first / "Resources" / "older").exists()
    assert archive.read_bytes() == before


def test_what_is_no_app_stays(solofile: Path, kit: Kit) -> None:
    """A folder of that name with something else in it is not removed."""
    kept = solofile.with_name("model.app") / "thesis.txt"
    kept.parent.mkdir()
    kept.touch()
    with pytest.raises(DiskError, match="is no app"):
        make_app(solofile, kit)
    assert kept.exists()


@pytest.mark.skipif(
    shutil.which("unzip") is None and os.environ.get("CI") != "true", reason="there is no unzip"
)
def test_the_zip_keeps_what_may_be_run(solofile: Path, kit: Kit, tmp_path: Path) -> None:
    """The same files come out of it, with their modes."""
    contents = make_app(solofile, kit)
    subprocess.run(["unzip", "-q", solofile.with_name("model.app.zip"), "-d", tmp_path / "out"],
                   check=True)  # fmt: skip
    for path in contents.rglob("*"):
        copy = tmp_path / "out" / path.relative_to(solofile.parent)
        assert copy.is_dir() == path.is_dir()
        if path.is_file():
            assert copy.read_bytes() == path.read_bytes()
            assert copy.stat().st_mode == path.stat().st_mode


def test_icons_of_other_sizes_are_left_out(
    solofile: Path, kit: Kit, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is said which ones macOS takes."""
    contents = make_app(solofile, kit, AppOrder("A", "", IconFile("icon.svg", b"<svg/>")))
    assert "32, 64, 128, 256, 512, 1024" in capfd.readouterr().err
    assert "CFBundleIconFile" not in plistlib.loads((contents / "Info.plist").read_bytes())
