"""Kits out of a vendored folder."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from builder.errors import ToolError
from builder.kit.at_hand import ensure_kit, find_kit, targets_at_hand
from builder.kit.file import export_kit
from builder.kit.kit import INFO_NAME, Kit
from builder.targets import TARGETS
from builder.vendor.collect import Work, collect
from builder.vendor.folder import KITS
from builder.vendor.kit import kit_name
from runtime.errors import DamagedFileError
from tests.builder.tiny_kit import make_tiny_kit
from tests.builder.vendored import go_offline

MACOS, AARCH64 = TARGETS["macos-arm64"], TARGETS["linux-aarch64"]


def with_vulkan(kit: Kit) -> Kit:
    """Return a kit that says it has a GPU plugin."""
    info = msgspec.structs.replace(kit.info, gpu=["vulkan"])
    (kit.folder / INFO_NAME).write_bytes(msgspec.json.encode(info))
    return replace(kit, info=info)


@pytest.fixture
def folder(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vendored folder that is worked from: a kit for macOS, and one for Linux with a plugin."""
    (tmp_path / "kit").mkdir()
    (tmp_path / "gpu").mkdir()
    kits = [
        make_tiny_kit(tmp_path / "kit", target=MACOS.name),
        with_vulkan(make_tiny_kit(tmp_path / "gpu", target=AARCH64.name)),
    ]

    def fill(part: Path) -> None:
        for kit in kits:
            export_kit(kit, part / kit_name(kit.info.name))

    collect(tmp_path / "v", [Work(KITS, "kits", "", fill)])
    go_offline(tmp_path / "v", monkeypatch)
    return tmp_path / "v"


def test_used_like_an_imported_one(folder: Path) -> None:
    """It is found, and stays in the cache; there is none for other systems or with plugins."""
    kit = ensure_kit(MACOS)
    assert (kit.origin, kit.info.target) == ("imported", MACOS.name)
    assert find_kit(MACOS) == kit
    assert MACOS in targets_at_hand()
    assert find_kit(TARGETS["windows-x86_64"]) is None
    assert find_kit(AARCH64) is None
    assert ensure_kit(AARCH64, gpu=["vulkan"]).info.gpu == ["vulkan"]
    with pytest.raises(ToolError, match="There is no kit for macos-arm64 --gpu vulkan"):
        ensure_kit(MACOS, gpu=["vulkan"])


def test_damaged(folder: Path) -> None:
    """A kit that was damaged on its way is named, and not used."""
    path = folder / KITS / kit_name(MACOS.name)
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedFileError, match=f"{path} is damaged"):
        ensure_kit(MACOS)
