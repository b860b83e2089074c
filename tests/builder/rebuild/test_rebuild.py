"""Solofiles made again from their manifests: the same bytes, or the part that differs by name."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from builder import make
from builder.__main__ import run
from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from builder.icon import read_icon
from builder.kit.kit import Kit
from builder.make import Order, make_solofile
from builder.quantize.options import QuantizeOptions, parse_tensor_types
from builder.quantize.table import find_quantization
from builder.rebuild.order import RebuildOrder
from builder.rebuild.rebuild import rebuild
from builder.sign.secret_key import SecretKey
from builder.sources.checkpoint import CheckpointFolder
from builder.sources.gguf_file import GgufFile
from builder.sources.source import FetchedModel, ResolvedSource, Source
from builder.targets import host_target
from runtime.branding import Branding
from runtime.container import Container
from runtime.errors import DamagedFileError, UnsupportedError
from runtime.manifest import Step
from runtime.verify import verify
from tests.builder.fake_hub import FakeHub, Repository, serving
from tests.builder.quantize.test_quantize import write_imatrix
from tests.builder.tiny_gguf import write_gguf, write_split_gguf
from tests.builder.tiny_kit import make_tiny_kit
from tests.damage import flip
from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.tiny_icon import png
from tests.tiny_lora import write_tiny_lora

ROOT = Path(__file__).parents[3]
# The builder with a kit whose launcher is a shell script.
BUILDER = """
import os, sys
from pathlib import Path
from builder import __main__, make
from tests.builder.tiny_kit import make_tiny_kit
os.umask(int(sys.argv[1], 8))
folder = Path("kit")
folder.mkdir(exist_ok=True)
kit = make_tiny_kit(folder)
make.ensure_kit = lambda target, **options: kit
sys.argv = ["solofile", *sys.argv[2:]]
__main__.main()
"""


@pytest.fixture
def order(tmp_path: Path, tiny_kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Order:
    """An order for a small model with all that needs no program to be made."""
    monkeypatch.setattr(make, "ensure_kit", lambda target, **options: tiny_kit)
    model = write_gguf(tmp_path / "Tiny.F32.gguf")
    (tmp_path / "icon.png").write_bytes(png())
    (tmp_path / "Tiny.F32.LICENSE").write_text("Do what you like.")
    adapter = tmp_path / "pirate.gguf"
    write_tiny_lora(adapter)
    return Order(
        source=GgufFile(model),
        target=host_target(),
        output=tmp_path / "chat",
        name="Mine",
        defaults={"temp": 0.5, "system_prompt": "You are a pirate."},
        branding=Branding(title="Pirate", examples=("Hi",)),
        icon=read_icon(tmp_path / "icon.png"),
        adapters=[GgufFile(adapter)],
        is_smoke_tested=False,
    )


@pytest.fixture
def moved(order: Order, tmp_path: Path) -> RebuildOrder:
    """What rebuilds it, with the model under another name in a folder without papers."""
    make_solofile(order)
    (tmp_path / "elsewhere").mkdir()
    model = (tmp_path / "Tiny.F32.gguf").rename(tmp_path / "elsewhere" / "model.gguf")
    return RebuildOrder(tmp_path / "chat", source=str(model))


@pytest.mark.usefixtures("own_cache")
def test_the_same_bytes(moved: RebuildOrder, tmp_path: Path) -> None:
    """What has no origin in the manifest is taken over, and that is said."""
    done = rebuild(replace(moved, output=tmp_path / "again"))
    assert (done.is_same, done.differences) == (True, [])
    assert (tmp_path / "again").read_bytes() == (tmp_path / "chat").read_bytes()
    assert sorted(done.taken) == ["LICENSES/Tiny.F32.LICENSE", "adapters/pirate.gguf", "icon.png"]
    assert "the same bytes" in done.as_text()
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


@pytest.mark.usefixtures("own_cache")
def test_a_signature_is_left_out(order: Order, tmp_path: Path) -> None:
    """The rest is compared, and what was not is said."""
    make_solofile(replace(order, signer=SecretKey.new()))
    done = rebuild(RebuildOrder(tmp_path / "chat", source=str(tmp_path / "Tiny.F32.gguf")))
    assert (done.is_same, done.is_signed) == (True, True)
    assert "Its signature was not compared" in done.as_text()


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("Tiny.F32.gguf", "Tiny.F32.gguf"),
        ("runtime.pkg", "runtime.pkg"),
        ("sbom.cdx.json", "sbom.cdx.json"),
    ],
)
def test_an_altered_part_is_named(moved: RebuildOrder, part: str, named: str) -> None:
    """One other byte is found and the part told, as are the launcher's."""
    with Container.open(moved.solofile) as container:
        offset = container.entry(part).offset + 40
    flip(moved.solofile, offset)
    assert [one.part for one in rebuild(moved).differences] == [named]
    flip(moved.solofile, 20)
    launcher, other = rebuild(moved).differences
    assert (launcher.part, other.part) == ("launcher", named)
    assert "altered" in launcher.why


@pytest.mark.usefixtures("own_cache")
def test_between_the_parts(moved: RebuildOrder) -> None:
    """Altered padding is told, too."""
    with Container.open(moved.solofile) as container:
        padding = container.entry("Tiny.F32.gguf").header_offset - 1
    flip(moved.solofile, padding)
    assert [one.part for one in rebuild(moved).differences] == ["the padding before Tiny.F32.gguf"]


@pytest.mark.usefixtures("own_cache")
def test_another_model_is_named(moved: RebuildOrder, tmp_path: Path) -> None:
    """A file with a sound manifest that vouches for other weights does not pass."""
    other = write_gguf(tmp_path / "other.gguf", metadata={"general.version": "2"})
    assert verify(moved.solofile) == []
    done = rebuild(replace(moved, source=str(other)))
    assert not done.is_same
    why = {one.part: one.why for one in done.differences}
    assert why["Tiny.F32.gguf"] == "its origin has another file than the manifest tells of"
    assert "origin" in why["solofile.json"]


@pytest.mark.usefixtures("own_cache")
def test_another_kit(moved: RebuildOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Launcher and runtime differ, and why is said."""
    (tmp_path / "other").mkdir()
    kit = make_tiny_kit(tmp_path / "other", launcher=b"#!/bin/sh\n", solofile="0.2.0")
    monkeypatch.setattr(make, "ensure_kit", lambda target, **options: kit)
    why = {one.part: one.why for one in rebuild(moved).differences}
    assert set(why) == {"launcher", "sbom.cdx.json", "solofile.json"}
    assert why["launcher"] == "the kit is another one: solofile 0.1.0, here 0.2.0"


def test_the_kit_it_was_made_with(
    order: Order, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is used where it is at hand, whichever one would be used now."""
    folder = own_cache / "kits" / "imported" / "other"
    folder.mkdir(parents=True)
    make_solofile(replace(order, kit=make_tiny_kit(folder, launcher=b"#!/bin/sh\n")))
    monkeypatch.setattr(make, "ensure_kit", None)
    assert rebuild(RebuildOrder(tmp_path / "chat", source=str(tmp_path / "Tiny.F32.gguf"))).is_same


@pytest.mark.parametrize(
    "steps",
    [
        [Step(kind="prune", command=["prune", "a", "b", "c"])],
        [Step(kind="quantize", command=["solofile"])],
        [Step(kind="quantize", command=["a"] * 5), Step(kind="quantize", command=["a"] * 5)],
    ],
)
def test_unknown_steps(order: Order, tmp_path: Path, steps: list[Step]) -> None:
    """What another version did is not guessed at."""
    fetched = order.source.fetch()
    origin = msgspec.structs.replace(fetched.origin, steps=steps)
    source = FetchedSource(order.source, replace(fetched, origin=origin))
    make_solofile(replace(order, source=source))
    with pytest.raises(UnsupportedError, match="was made in steps that this version does not do"):
        rebuild(RebuildOrder(tmp_path / "chat", source=str(tmp_path / "Tiny.F32.gguf")))


@dataclass
class FetchedSource:
    """A source whose model is here already."""

    source: Source
    fetched: FetchedModel

    def resolve(self) -> ResolvedSource:
        return self.source.resolve()

    def fetch(self) -> FetchedModel:
        return self.fetched


def test_where_the_model_lies_is_not_known(order: Order, tmp_path: Path) -> None:
    """A file of its maker's has to be named."""
    make_solofile(order)
    with pytest.raises(SourceError, match=r"does not tell where to find that\. Name the file"):
        rebuild(RebuildOrder(tmp_path / "chat"))


@pytest.mark.usefixtures("own_cache")
def test_a_model_in_parts_beside_the_solofile(order: Order, tmp_path: Path) -> None:
    """Parts are merged again; the weights beside are compared, and kept under the new name."""
    (tmp_path / "parts").mkdir()
    parts = write_split_gguf(tmp_path / "parts", "Tiny-F32")
    make_solofile(replace(order, source=GgufFile(parts[0]), has_sidecar=True, adapters=[]))
    again = RebuildOrder(tmp_path / "chat", tmp_path / "again", str(parts[1]))
    assert rebuild(again).is_same
    assert verify(tmp_path / "again") == []
    (tmp_path / "chat.weights").write_bytes((tmp_path / "again.weights").read_bytes())
    with Container.open(tmp_path / "chat.weights") as beside:
        offset = beside.entry("Tiny-F32.gguf").offset + 100
    flip(tmp_path / "chat.weights", offset)
    assert [one.part for one in rebuild(again).differences] == ["Tiny-F32.gguf"]


def test_quantized_with_an_importance_matrix(
    order: Order, tmp_path: Path, own_results: Path
) -> None:
    """It is quantized again, as the manifest's command says, from what is named."""
    model, imatrix = tmp_path / "Tiny-F32.gguf", tmp_path / "imatrix.gguf"
    write_tiny_llama(model, head_size=128, n_ff=256)
    write_imatrix(model, imatrix)
    options = QuantizeOptions(
        quantization=find_quantization("Q4_K_M"),
        imatrix=imatrix,
        tensor_types=parse_tensor_types(["attn_v=Q6_K"]),
        leaves_output=True,
    )
    make_solofile(replace(order, source=GgufFile(model), quantize=options, adapters=[]))
    for path in (own_results / "quantized").iterdir():
        path.unlink()
    wanted = RebuildOrder(tmp_path / "chat", source=str(model))
    (tmp_path / "in").mkdir()
    with pytest.raises(SourceError, match=r"^imatrix\.gguf \(SHA-256 .* Name it with --input"):
        rebuild(wanted)
    done = rebuild(replace(wanted, inputs=(model, imatrix.rename(tmp_path / "in" / imatrix.name))))
    assert (done.differences, done.is_same) == ([], True)


def test_converted_and_quantized(
    order: Order, tiny_checkpoints: dict[str, Path], tmp_path: Path, own_results: Path
) -> None:
    """A checkpoint is converted again under the name it had, wherever it lies, then quantized."""
    folder = tmp_path / "Tiny-Qwen3"
    shutil.copytree(tiny_checkpoints["qwen3"], folder)
    options = QuantizeOptions(quantization=find_quantization("Q8_0"))
    source = CheckpointFolder(folder, ConvertOptions("f16"))
    make_solofile(replace(order, source=source, quantize=options, adapters=[]))
    for kind in ("converted", "quantized"):
        shutil.rmtree(own_results / kind)
    moved = folder.rename(tmp_path / "elsewhere")
    done = rebuild(RebuildOrder(tmp_path / "chat", source=str(moved)))
    assert (done.differences, done.is_same) == ([], True)


def test_same_recipe_elsewhere(tmp_path: Path) -> None:
    """Folder, cache, home, umask, locale, time zone and day do not show in the bytes."""
    data = write_gguf(tmp_path / "Tiny.Q8_0.gguf", quantized=True).read_bytes()
    papers = {"README.md": b"---\nlicense: mit\n---\nTiny.\n", "LICENSE": b"Do what you like."}
    recipe = "source = 'hf:acme/Tiny:Q8_0'\nsmoke-test = false\n[settings]\ntemp = 0.5\n"
    with serving(FakeHub({"acme/Tiny": Repository({"Tiny.Q8_0.gguf": data} | papers)})) as hub:
        build = _builders(tmp_path, hub)
        for name, umask, zone in (("one", "022", "UTC"), ("zwei", "077", "Pacific/Auckland")):
            folder = tmp_path / name
            folder.mkdir()
            (folder / "solofile.toml").write_text(recipe)
            assert build(folder, umask, zone, "build", "solofile.toml", "-o", "chat") == ""
        assert (tmp_path / "one/chat").read_bytes() == (tmp_path / "zwei/chat").read_bytes()
        told = build(tmp_path / "zwei", "022", "UTC", "rebuild", "--from", "../one/chat", "--json")
        assert json.loads(told)["is_same"] is True
        assert json.loads(told)["taken"] == []


def _builders(tmp_path: Path, hub: FakeHub) -> Callable[..., str]:
    def build(folder: Path, umask: str, zone: str, *arguments: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder / "home"),
            "SOLOFILE_CACHE": str(folder / "cache"),
            "HF_ENDPOINT": hub.url,
            "TZ": zone,
            "LC_ALL": "C.UTF-8" if zone == "UTC" else "C",
        }
        done = subprocess.run(
            [sys.executable, "-c", BUILDER, umask, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return "" if arguments[0] == "build" else done.stdout

    return build


@pytest.mark.usefixtures("own_cache")
def test_the_command(
    moved: RebuildOrder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It tells what it found, and its exit code is 3 where something differs."""
    command = ["rebuild", "--from", str(moved.solofile), "--source", moved.source]
    assert run(command) == 0
    assert f"{moved.solofile} is what comes out of {moved.source}: " in capsys.readouterr().out
    flip(moved.solofile, 20)
    assert run([*command, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["differences"][0]["part"] == "launcher"
    assert run([*command, "-o", str(moved.solofile)]) == 2
    assert "Name another one with -o." in capsys.readouterr().err


@pytest.mark.usefixtures("own_cache")
def test_a_damaged_companion(moved: RebuildOrder) -> None:
    """What is taken over is checked first."""
    with Container.open(moved.solofile) as container:
        offset = container.entry("icon.png").offset + 4
    flip(moved.solofile, offset)
    with pytest.raises(DamagedFileError, match=r"icon\.png inside .* is damaged"):
        rebuild(moved)
