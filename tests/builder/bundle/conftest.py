"""What tests of bundles share: a model, kits of two systems, and a shell with little beside it."""

from pathlib import Path

import pytest

from builder.__main__ import run
from builder.kit.file import export_kit, import_kit
from builder.kit.kit import LAUNCHER_NAME
from builder.kit.package import write_package
from builder.kit.stub import compile_stub
from builder.targets import TARGETS, host_target
from runtime.package import ENTRY_NAME
from tests.builder.bundle.shell import OTHER, link_tools
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_kit import ANSWERING, make_kit


@pytest.fixture
def kits(tmp_path: Path, own_cache: Path, own_home: Path) -> None:
    """Kits of this system and another, as if they were imported, and no others."""
    for target in (host_target().name, OTHER):
        add_kit(tmp_path, target, ANSWERING + target.encode())


@pytest.fixture(scope="session")
def windows_launcher() -> bytes:
    """The launcher for Windows."""
    return compile_stub(TARGETS["windows-x86_64"]).read_bytes()


@pytest.fixture
def all_kits(windows_launcher: bytes, kits: None, tmp_path: Path) -> None:
    """Kits of all systems."""
    add_kit(tmp_path, "windows-x86_64", windows_launcher)
    for target in ("macos-arm64", "macos-x86_64"):
        add_kit(tmp_path, target, ANSWERING + target.encode())


def add_kit(tmp_path: Path, target: str, launcher: bytes) -> None:
    """Import a kit whose runtime holds a licence and nothing else."""
    texts = tmp_path / "frozen" / "licences" / "zstd-1.5.7"
    texts.mkdir(parents=True, exist_ok=True)
    (texts / "LICENSE").write_text("Do as you like.\n")
    folder = tmp_path / f"kit-{target}"
    folder.mkdir()
    write_package(tmp_path / "frozen", folder / ENTRY_NAME)
    (folder / LAUNCHER_NAME).write_bytes(launcher)
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
