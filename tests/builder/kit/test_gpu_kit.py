"""Kits with GPU plugins beside kits without."""

from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.kit.at_hand import ensure_kit, find_kit
from builder.kit.building import build_kit
from builder.kit.file import export_kit, import_kit
from builder.targets import TARGETS, host_target
from tests.builder.kit.test_kit import MakeKit, make_kit

__all__ = ["make_kit"]

OTHER = next(target for target in TARGETS.values() if target != host_target())


def test_plugins_are_asked_for(make_kit: MakeKit, tmp_path: Path) -> None:
    """A kit has those that were named and no others, and is found by them alone."""
    kits = [
        make_kit(tmp_path / "plain"),
        make_kit(tmp_path / "vulkan", gpu=["vulkan"]),
        make_kit(tmp_path / "both", gpu=["cuda", "vulkan"]),
    ]
    files = [export_kit(kit, tmp_path) for kit in kits]
    assert len({file.name for file in files}) == 3
    assert files[1].name.endswith(f"{OTHER.name}-vulkan.kit")
    for file in files:
        import_kit(file)
    for gpu in ([], ["vulkan"], ["vulkan", "cuda", "vulkan"]):
        found = find_kit(OTHER, gpu=gpu)
        assert found
        assert found.info.gpu == sorted(set(gpu))
    assert find_kit(OTHER, gpu=["cuda"]) is None


def test_the_plugin_of_a_missing_kit_is_named(make_kit: MakeKit, tmp_path: Path) -> None:
    """Another kit is no answer."""
    import_kit(export_kit(make_kit(tmp_path / "plain"), tmp_path))
    with pytest.raises(ToolError, match=r"--gpu vulkan here.*kit build --gpu vulkan -o FILE"):
        ensure_kit(OTHER, gpu=["vulkan"])


def test_plugins_are_built_for_this_machine_alone(own_cache: Path) -> None:
    """That is said before anything else is built."""
    with pytest.raises(ToolError, match=f"GPU plugins for {OTHER.name} cannot be built"):
        build_kit(OTHER, gpu=["vulkan"])
    assert not own_cache.exists()
