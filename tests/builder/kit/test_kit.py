"""Kits in the cache folder and in files, with small made-up contents."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import zstandard
from click.testing import CliRunner

from builder.cli.kit import kit as kit_command
from builder.errors import ToolError
from builder.kit import freeze
from builder.kit.at_hand import ensure_kit, find_kit, list_kits
from builder.kit.file import export_kit, import_kit, read_kit_file
from builder.kit.key import kit_key
from builder.kit.kit import FORMAT_VERSION, INFO_NAME, Kit, KitInfo, kits_folder, load_kit
from builder.kit.python import own_python
from builder.targets import TARGETS, host_target
from runtime import __version__
from runtime.errors import DamagedFileError, UnsupportedError, UsageError
from tests.builder.kit.damaged import import_damaged

OTHER = next(target for target in TARGETS.values() if target != host_target())
MakeKit = Callable[..., Kit]


@pytest.fixture
def make_kit(tmp_path: Path, own_cache: Path) -> MakeKit:
    """Write a kit of a few bytes, for another target than this machine's by default."""

    def make(folder: Path = tmp_path / "kit", *, target: str = OTHER.name, **facts: object) -> Kit:
        folder.mkdir(parents=True)
        launcher, package = b"launcher", b"package of " + str(facts).encode()
        (folder / "launcher").write_bytes(launcher)
        (folder / "runtime.pkg").write_bytes(package)
        info = {
            "format_version": FORMAT_VERSION,
            "target": target,
            "solofile": __version__,
            "python": "3.11.0",
            "llama_cpp_python": "1.0",
            "llama_cpp": "2.0",
            "llama_cpp_commit": "abc",
            "glibc": "2.28",
            "launcher_size": len(launcher),
            "launcher_sha256": hashlib.sha256(launcher).hexdigest(),
            "runtime_size": len(package),
            "runtime_sha256": hashlib.sha256(package).hexdigest(),
        }
        (folder / INFO_NAME).write_bytes(msgspec.json.encode(info | facts))
        return Kit(folder, msgspec.convert(info | facts, KitInfo), "built")

    return make


def built_folder() -> Path:
    return (
        kits_folder()
        / "built"
        / f"{host_target().name}-{kit_key(host_target(), 'zig', own_python())[:16]}"
    )


class TestFiles:
    """Carrying kits in files."""

    def test_export_and_import(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """An imported kit is the exported one, byte by byte."""
        kit = make_kit()

        imported = import_kit(export_kit(kit, tmp_path / "a.kit"))

        assert imported.origin == "imported"
        assert imported.info == kit.info
        assert imported.launcher.read_bytes() == kit.launcher.read_bytes()
        assert imported.runtime_pkg.read_bytes() == kit.runtime_pkg.read_bytes()
        assert list_kits() == [imported]

    def test_import_twice(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """Importing the same kit again gives the one that is there."""
        path = export_kit(make_kit(), tmp_path / "a.kit")

        assert import_kit(path) == import_kit(path)

    def test_same_bytes_twice(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """The same kit gives the same file."""
        kit = make_kit()

        files = [export_kit(kit, tmp_path / name).read_bytes() for name in ("a.kit", "b.kit")]

        assert files[0] == files[1]

    def test_export_into_a_folder(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """In a folder the file gets a name that tells version and target."""
        path = export_kit(make_kit(), tmp_path)

        assert path == tmp_path / f"solofile-{__version__}-{OTHER.name}.kit"

    def test_damaged_anywhere(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """A file cut at any point, or with any byte changed, is refused or unharmed by it."""
        kit = make_kit()
        path = export_kit(kit, tmp_path / "a.kit")
        whole = path.read_bytes()
        versions = [whole[:size] for size in range(0, len(whole), 5)]
        versions += [
            whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :] for at in range(len(whole))
        ]
        import_damaged(path, versions, kit)

    def test_other_digest(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """A runtime that is not the one its kit.json tells of is refused and not kept."""
        kit = make_kit()
        kit.runtime_pkg.write_bytes(kit.runtime_pkg.read_bytes()[::-1])
        path = export_kit(kit, tmp_path / "a.kit")

        with pytest.raises(DamagedFileError, match="is not a kit, or damaged"):
            import_kit(path)

        assert list_kits() == []

    def test_newer_format(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """A kit of a newer format is refused with what to do."""
        path = export_kit(make_kit(format_version=FORMAT_VERSION + 1), tmp_path / "a.kit")

        with pytest.raises(UnsupportedError, match=r"format 2, .* Update solofile"):
            import_kit(path)

    def test_other_tar(self, tmp_path: Path, own_cache: Path) -> None:
        """A compressed tar of something else is not a kit."""
        (tmp_path / "text").write_text("text", encoding="utf-8")
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            archive.add(tmp_path / "text", "text")
        path = tmp_path / "a.kit"
        path.write_bytes(zstandard.compress((tmp_path / "a.tar").read_bytes()))

        with pytest.raises(DamagedFileError, match="is not a kit, or damaged"):
            read_kit_file(path)

    def test_missing(self, tmp_path: Path) -> None:
        """A file that is not there is named."""
        with pytest.raises(UsageError, match=r"There is no file .*none\.kit"):
            import_kit(tmp_path / "none.kit")


class TestChoice:
    """Which kit is used."""

    def test_none_for_another_target(self, own_cache: Path) -> None:
        """Without a kit for another system the error says how to get one."""
        with pytest.raises(ToolError, match=rf"no kit for {OTHER.name}.* `kit import FILE`"):
            ensure_kit(OTHER)

    def test_imported_for_another_target(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """An imported kit serves another system."""
        imported = import_kit(export_kit(make_kit(), tmp_path / "a.kit"))

        assert ensure_kit(OTHER) == imported

    def test_built_before_imported(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """For this machine the kit of the present sources wins over an imported one."""
        carried = make_kit(target=host_target().name, glibc="2.20")
        imported = import_kit(export_kit(carried, tmp_path / "a.kit"))
        assert find_kit(host_target()) == imported

        built = make_kit(built_folder(), target=host_target().name)

        assert ensure_kit(host_target()) == built

    def test_imported_of_this_version_first(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """Of imported kits, one of this version wins over one of another."""
        same = import_kit(export_kit(make_kit(), tmp_path / "a.kit"))
        old = make_kit(tmp_path / "old", solofile="0.0.1")
        import_kit(export_kit(old, tmp_path / "b.kit"))

        assert find_kit(OTHER) == same

    def test_damaged_in_the_cache(self, make_kit: MakeKit, own_cache: Path) -> None:
        """A kit.json that is none is named."""
        kit = make_kit()
        (kit.folder / INFO_NAME).write_text("{}", encoding="utf-8")

        with pytest.raises(DamagedFileError, match=r"kit\.json is not a kit"):
            load_kit(kit.folder)


class TestKey:
    """When a kit is built anew."""

    def test_is_stable(self) -> None:
        """The same sources give the same key."""
        assert kit_key(host_target(), "zig", own_python()) == kit_key(
            host_target(), "zig", own_python()
        )

    def test_depends_on_target_and_toolchain(self) -> None:
        """Each target and each compiler has its own kits."""
        python = own_python()
        keys = {kit_key(target, name, python) for target in (host_target(), OTHER) for name in "ab"}
        assert len(keys) == 4

    def test_depends_on_the_python(self) -> None:
        """A Python that was updated, or another one, is another kit."""
        python = own_python()
        pythons = [python, replace(python, build="3.99"), replace(python, prefix="/opt")]
        assert len({kit_key(host_target(), "zig", each) for each in pythons}) == 3

    def test_notices_a_changed_template(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A template that is changed, added or renamed gives another key."""
        monkeypatch.setattr(freeze, "PROJECT", Path("/"))
        monkeypatch.setattr(freeze, "PAGE", tmp_path)
        page = tmp_path / "page.html"
        keys = [kit_key(host_target(), "zig", own_python())]
        page.write_text("one", encoding="utf-8")
        keys.append(kit_key(host_target(), "zig", own_python()))
        page.write_text("two", encoding="utf-8")
        keys.append(kit_key(host_target(), "zig", own_python()))
        page.rename(tmp_path / "other.html")
        keys.append(kit_key(host_target(), "zig", own_python()))

        assert len(set(keys)) == len(keys)


class TestCommand:
    """The command line."""

    def run(self, *arguments: str) -> str:
        result = CliRunner().invoke(kit_command, arguments, catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    def test_import_list_show(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """A kit that was imported is listed and shown."""
        kit = make_kit()
        path = export_kit(kit, tmp_path / "a.kit")

        folder = self.run("import", str(path)).strip()

        assert self.run().split()[:4] == [OTHER.name, __version__, kit.info.digest, "imported"]
        assert json.loads(self.run("list", "--json"))[0]["folder"] == folder
        assert json.loads(self.run("show", OTHER.name, "--json"))["glibc"] == "2.28"
        assert json.loads(self.run("show", str(path), "--json"))["target"] == OTHER.name
        shown = self.run("show", str(path))
        assert "llama cpp commit   abc" in shown
        assert "glibc              2.28 or newer: Debian 10, Ubuntu 18.10, Fedora 29" in shown

    def test_build_writes_a_file(self, make_kit: MakeKit, tmp_path: Path) -> None:
        """`build -o` writes the kit that is there already."""
        make_kit(built_folder(), target=host_target().name)
        path = tmp_path / "this.kit"

        assert self.run("build", "-o", str(path)).strip() == str(path)
        assert read_kit_file(path).target == host_target().name

    def test_empty(self, own_cache: Path) -> None:
        """Without a kit, the list is empty and says what makes one."""
        result = CliRunner().invoke(kit_command, ["list"])

        assert result.stdout == ""
        assert "`kit build` makes one" in result.stderr
