"""What a layer orders."""

from pathlib import Path

import pytest

from builder.errors import SourceError, ToolError
from builder.quantize.table import find_quantization
from builder.recipe.job import make_jobs
from builder.recipe.layer import Layer
from builder.sign.own_key import own_key_path
from builder.sign.secret_key import SecretKey, write_secret_key
from builder.sources.hub import HubModel
from builder.sources.source import Source
from builder.targets import TARGETS, host_target
from runtime.branding import Branding
from runtime.errors import AppError, UsageError
from tests.tiny_icon import SVG

LEAST = {"source": "hf:acme/tiny"}


def repository(source: Source | None) -> str:
    """Return which of the hub's a source is."""
    assert isinstance(source, HubModel)
    return source.repository


def test_the_least() -> None:
    """A source alone is built for this machine, as it is."""
    (job,) = make_jobs([LEAST])
    assert (job.label, job.targets) == ("hf:acme/tiny", [host_target()])
    assert repository(job.order.source) == "acme/tiny"
    assert job.order.output is None
    assert job.order.is_smoke_tested
    assert not job.order.tells_target
    assert (job.order.quantize, job.order.icon) == (None, None)


def test_everything(tmp_path: Path) -> None:
    """Each field ends in the order."""
    (tmp_path / "leaf").write_bytes(SVG)
    layer: Layer = LEAST | {
        "name": "Tiny", "output": f"{tmp_path}/out/", "targets": ["macos-arm64", "windows-x86_64"],
        "quantize": "q4_k_m", "imatrix": "matrix.gguf", "tensor-types": ["attn_v=Q6_K"],
        "output-tensor-type": "Q8_0", "pure": True, "threads": 3,
        "lora": ["hf:acme/a", "hf:acme/b"], "draft": "hf:acme/draft", "mmproj": "hf:acme/eyes",
        "smoke-test": False, "toolchain": "system", "settings": {"temp": 0.5},
        "branding": {"title": "T", "examples": ["e"], "color": "#123456",
                     "icon": str(tmp_path / "leaf")},
    }  # fmt: skip
    (job,) = make_jobs([layer])
    order = job.order
    assert (job.label, order.name) == ("Tiny", "Tiny")
    assert job.targets == [TARGETS["macos-arm64"], TARGETS["windows-x86_64"]]
    assert order.tells_target
    assert (order.output, order.is_output_folder) == (tmp_path / "out", True)
    assert order.quantize is not None
    assert order.quantize.quantization is find_quantization("Q4_K_M")
    assert order.quantize.imatrix == Path("matrix.gguf")
    assert [one.pattern for one in order.quantize.tensor_types] == ["attn_v"]
    assert (order.quantize.is_pure, order.quantize.n_threads) == (True, 3)
    sources = [*order.adapters, order.draft, order.projector]
    assert [repository(source) for source in sources] == [
        "acme/a", "acme/b", "acme/draft", "acme/eyes",
    ]  # fmt: skip
    assert (order.is_smoke_tested, order.toolchain) == (False, "system")
    assert order.defaults == {"temp": 0.5}
    assert order.branding == Branding(title="T", examples=("e",), color="#123456")
    assert order.icon is not None
    assert order.icon.data == SVG


def test_memory_to_fit_into() -> None:
    """A size is counted in bytes."""
    assert make_jobs([{**LEAST, "fits": "8GB"}])[0].order.fits_bytes == 8_000_000_000


@pytest.mark.parametrize(
    ("fields", "kind", "told"),
    [
        ({"source": "tiny"}, SourceError, "tiny is no source of a model"),
        ({"targets": ["amiga"]}, ToolError, "amiga is not a target"),
        ({"app": True}, UsageError, "Apps are for macOS"),
        ({"app-id": "org.example.a"}, UsageError, "app-id is for an app"),
        ({"app": True, "app-id": "a b"}, UsageError, "a b cannot be an app's identifier"),
        ({"fits": "8GB", "quantize": "Q8_0"}, UsageError, "fits and quantize choose a type each"),
        ({"pure": True}, UsageError, "how to quantize, but not to what"),
        ({"quantize": "Q0"}, UsageError, "Q0"),
        ({"branding": {"icon": "gone.svg"}}, UsageError, r"The icon gone\.svg cannot be read"),
    ],
)
def test_what_cannot_be(fields: Layer, kind: type[AppError], told: str) -> None:
    """It is found before anything is fetched."""
    with pytest.raises(kind, match=told):
        make_jobs([LEAST | fields])


def test_how_to_quantize_is_said_once() -> None:
    """It holds for the models that are quantized; what is wrong is told with the model's number."""
    shared = LEAST | {"pure": True}
    plain, quantized = make_jobs([shared, shared | {"quantize": "Q8_0"}])
    assert plain.order.quantize is None
    assert quantized.order.quantize is not None
    assert quantized.order.quantize.is_pure
    with pytest.raises(ToolError, match=r"^Model 2: amiga is not a target\."):
        make_jobs([LEAST, LEAST | {"targets": ["amiga"]}])


def test_a_file_for_each_model(tmp_path: Path) -> None:
    """Two that name the same file are refused; in a folder they have names of their own."""
    for output in (str(tmp_path), f"{tmp_path}/out/"):
        assert len(make_jobs([LEAST | {"output": output}] * 2)) == 2
    with pytest.raises(UsageError, match=r"2 models would be written to .*chat"):
        make_jobs([LEAST | {"output": f"{tmp_path}/chat"}] * 2)


def test_each_model_is_signed_by_its_key(tmp_path: Path) -> None:
    """A key is opened before anything is made, and one that is not there ends it all."""
    keys = {name: SecretKey.new() for name in ("one", "two")}
    for name, key in keys.items():
        write_secret_key(tmp_path / name, key, "")
    layers = [LEAST | {"sign-key": str(tmp_path / name)} for name in keys]
    signers = [job.order.signer for job in make_jobs([*layers, LEAST])]
    assert signers == [*keys.values(), None]
    with pytest.raises(UsageError, match="There is no key"):
        make_jobs([*layers, LEAST | {"sign-key": str(tmp_path / "three")}])


def test_ones_own_key_signs(own_home: Path) -> None:
    """Without a file it is the key that `key new` makes."""
    with pytest.raises(UsageError, match=r"There is no key .*own\.key"):
        make_jobs([LEAST | {"sign": True}])
    key = SecretKey.new()
    write_secret_key(own_key_path(), key, "")
    (job,) = make_jobs([LEAST | {"sign": True}])
    assert job.order.signer == key
