"""Recipes built from the command line, with a kit whose launcher is a shell script."""

import json
from pathlib import Path

import pytest

from builder import make
from builder.__main__ import run
from builder.errors import ToolError
from builder.kit.at_hand import find_kit
from builder.kit.file import export_kit, import_kit
from builder.kit.kit import Kit
from builder.targets import TARGETS, Target, host_target
from runtime.container import Container
from runtime.manifest import Manifest, read_manifest
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_kit import make_tiny_kit
from tests.tiny_icon import SVG

OTHER = "linux-aarch64" if host_target().name == "linux-x86_64" else "linux-x86_64"
WITHOUT_KIT = "macos-arm64"


@pytest.fixture(autouse=True)
def project(
    tmp_path: Path, tiny_kit: Kit, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with a model, beside the one that the builder runs in."""

    def ensure_kit(target: Target, **options: object) -> Kit:
        if target.name == WITHOUT_KIT:
            raise ToolError(f"There is no kit for {target.name}.")
        return find_kit(target) or tiny_kit

    monkeypatch.setattr(make, "ensure_kit", ensure_kit)
    folder = tmp_path / "project"
    folder.mkdir()
    write_gguf(folder / "Tiny.F32.gguf")
    (folder / "leaf.svg").write_bytes(SVG)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def write_recipe(folder: Path, text: str) -> str:
    """Write a recipe and return its path."""
    (folder / "chat.toml").write_text(text, encoding="utf-8")
    return str(folder / "chat.toml")


def manifest_of(path: Path) -> Manifest:
    """Return a solofile's manifest."""
    with Container.open(path) as container:
        return read_manifest(container)


def test_one_model(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is what the recipe says, in `dist` beside it; a flag beats it."""
    recipe = write_recipe(
        project,
        """
        source = "Tiny.F32.gguf"
        name = "Pirate"
        system = "You are a pirate."
        [settings]
        temp = 0.5
        [branding]
        title = "Ahoy"
        examples = ["Who are you?"]
        icon = "leaf.svg"
        """,
    )
    assert run(["build", recipe, "--json"]) == 0
    (report,) = json.loads(capfd.readouterr().out)
    assert report["path"] == str(project / "dist" / "Pirate")
    manifest = manifest_of(Path(report["path"]))
    assert manifest.name == "Pirate"
    assert manifest.defaults == {"system_prompt": "You are a pirate.", "temp": 0.5}
    assert (manifest.branding.title, manifest.branding.examples) == ("Ahoy", ("Who are you?",))
    assert manifest.icon is not None
    flags = ["-o", "mine", "--system", "Hello.", "--title", "Mine", "--set", "seed=1"]
    assert run(["build", recipe, *flags]) == 0
    manifest = manifest_of(Path("mine"))
    assert manifest.defaults == {"system_prompt": "Hello.", "temp": 0.5, "seed": 1}
    assert (manifest.branding.title, manifest.branding.examples) == ("Mine", ("Who are you?",))
    assert not Path("dist").exists()


def test_several_models_and_targets(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """There is one file and one report for each, in their order."""
    recipe = write_recipe(
        project,
        f"""
        source = "Tiny.F32.gguf"
        output = "out/made/"
        targets = ["{host_target().name}", "{OTHER}", "windows-x86_64"]
        [[model]]
        name = "One"
        [[model]]
        name = "Two"
        output = "two"
        targets = ["{host_target().name}"]
        """,
    )
    assert run(["build", recipe, "--json"]) == 0
    reports = json.loads(capfd.readouterr().out)
    names = [f"out/made/One-{host_target().name}", f"out/made/One-{OTHER}"]
    names += ["out/made/One-windows-x86_64.exe", "two"]
    assert [report["path"] for report in reports] == [str(project / name) for name in names]
    assert all((project / name).is_file() for name in names)


def test_what_is_shared_is_done_once(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A model for two targets is fetched and read once."""
    recipe = write_recipe(project, f'source = "Tiny.F32.gguf"\ntargets = ["{OTHER}"]')
    one = [*("--target", OTHER), *("--target", host_target().name)]
    assert run(["build", recipe, *one, "--no-smoke-test"]) == 0
    told = capfd.readouterr()
    assert told.err.count("Source: ") == 1
    assert told.out.count("Solofile:") == 2
    assert told.out.count("Model:") == 1


def test_the_others_are_made(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What fails is told at once and at the end, and the exit code is its own."""
    recipe = write_recipe(
        project,
        f"""
        [[model]]
        source = "broken.gguf"
        [[model]]
        source = "Tiny.F32.gguf"
        name = "Good"
        targets = ["{WITHOUT_KIT}", "{host_target().name}"]
        """,
    )
    (project / "broken.gguf").write_bytes(b"GGUF")
    assert run(["build", recipe, "--json"]) == 3
    told = capfd.readouterr()
    results = json.loads(told.out)
    assert [result.get("exit_code", 0) for result in results] == [3, 7, 0]
    assert results[1]["targets"] == [WITHOUT_KIT]
    assert Path(results[2]["path"]).is_file()
    assert f"Error: There is no kit for {WITHOUT_KIT}." in told.err
    label = project / "broken.gguf"
    last = f"Error: Not made: {label} for {host_target().name}, Good for {WITHOUT_KIT}."
    assert f"{last}\nMade: 1 of 3.\n" in told.err


def test_two_of_one_name(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The second does not replace the first."""
    recipe = write_recipe(project, 'source = "Tiny.F32.gguf"\n[[model]]\n[[model]]\nname = ""')
    assert run(["build", recipe]) == 2
    told = capfd.readouterr()
    assert "Two models would both be written to" in told.err
    assert told.out.count("Solofile:") == 1


def test_a_mistake_is_found_before_anything_is_made(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whichever model it is in."""
    recipe = write_recipe(
        project, 'source = "Tiny.F32.gguf"\n[[model]]\n[[model]]\ntargets = ["amiga"]'
    )
    assert run(["build", recipe]) == 7
    assert "amiga is not a target" in capfd.readouterr().err
    assert not (project / "dist").exists()


def test_all_targets(project: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Those with a kit and this machine's own are made; the others are named and hinder nobody."""
    (tmp_path / "other").mkdir()
    other = make_tiny_kit(tmp_path / "other", target=OTHER)
    import_kit(export_kit(other, tmp_path / "other.kit"))
    source, out = str(project / "Tiny.F32.gguf"), project / "out"

    assert run(["build", source, "--target", "all", "-o", f"{out}/", "--json"]) == 0

    told = capfd.readouterr()
    reports = json.loads(told.out)
    names = {f"Tiny-F32-{name}" for name in (OTHER, host_target().name)}
    assert {Path(report["path"]).name for report in reports} == names
    left_out = [name for name in TARGETS if name not in (OTHER, host_target().name)]
    assert f"Left out, as there is no kit for them here: {', '.join(left_out)}." in told.err
    assert "Not tested: a solofile for" in told.err
    for report in reports:
        assert manifest_of(Path(report["path"])).kit.target == report["target"]


def test_a_target_that_is_named_beside_all(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It must be there."""
    flags = ["--target", "all", "--target", WITHOUT_KIT]
    assert run(["build", str(project / "Tiny.F32.gguf"), *flags]) == 7
    told = capfd.readouterr()
    assert f"Not made: {project / 'Tiny.F32.gguf'} for {WITHOUT_KIT}." in told.err
    assert told.out.count("Solofile:") == 1
