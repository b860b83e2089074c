"""What tests of bundles share: a model, kits of two systems, and a shell with little beside it."""

from pathlib import Path

import pytest

from builder.__main__ import run
from builder.kit.file import export_kit, import_kit
from builder.kit.kit import LAUNCHER_NAME
from builder.kit.package import write_package
from builder.targets import host_target
from runtime.package import ENTRY_NAME
from tests.builder.bundle.shell import OTHER, link_tools
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_kit import ANSWERING, make_kit


@pytest.fixture
def kits(tmp_path: Path, own_cache: Path, own_home: Path) -> None:
    """Kits of this system and another, as if they were imported, and no others."""
    texts = tmp_path / "frozen" / "licences" / "zstd-1.5.7"
    texts.mkdir(parents=True)
    (texts / "LICENSE").write_text("Do as you like.\n")
    for target in (host_target().name, OTHER):
        folder = tmp_path / f"kit-{target}"
        folder.mkdir()
        write_package(tmp_path / "frozen", folder / ENTRY_NAME)
        (folder / LAUNCHER_NAME).write_bytes(ANSWERING + target.encode())
        kit = make_kit(folder, folder / LAUNCHER_NAME, target=target)
        import_kit(export_kit(kit, tmp_path / f"{target}.kit"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A GGUF of 3.7 MB."""
    return write_gguf(tmp_path / "Tiny.F32.gguf", tensors={"token_embd.weight": (7168, 128)})


@pytest.fixture
def in_parts(kits: None, model: Path, tmp_path: Path) -> Path:
    """A bundle for two systems, whose weights are in four parts."""
    folder = tmp_path / "stick"
    flags = ["--target", host_target().name, "--target", OTHER, "--volume-size", "1MiB"]
    assert run(["bundle", str(model), "-o", str(folder), *flags]) == 0
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with some programs of coreutils and no others."""
    return link_tools(tmp_path / "tools")
