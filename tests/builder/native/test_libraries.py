"""What llama.cpp's libraries are called in a kit, and what they are built with."""

from pathlib import Path

import pytest

from builder.native.libraries import collect, library_options
from builder.targets import TARGETS


@pytest.mark.parametrize(
    ("built", "collected"),
    [
        (
            ["libllama.so.0.5.0", "libggml-cpu-haswell.so", "llama-thing"],
            {"libllama.so": "libllama.so.0", "libllama.so.0": None, "libggml-cpu-haswell.so": None},
        ),
        (
            ["libggml-base.0.25.3.dylib", "libggml-cpu-apple_m1.so"],
            {
                "libggml-base.dylib": "libggml-base.0.dylib",
                "libggml-base.0.dylib": None,
                "libggml-cpu-apple_m1.so": None,
            },
        ),
    ],
)
def test_libraries_get_the_names_that_others_load(
    tmp_path: Path, built: list[str], collected: dict[str, str | None]
) -> None:
    """One file each, under its SONAME or install name; the plain name leads there."""
    source, folder = tmp_path / "bin", tmp_path / "libraries"
    source.mkdir()
    folder.mkdir()
    for name in built:
        (source / name).write_text(name, encoding="utf-8")
    (source / "libllama.so").symlink_to(built[0])
    collect(source, folder)
    found = {path.name: str(path.readlink()) if path.is_symlink() else None
             for path in folder.iterdir()}  # fmt: skip
    assert found == collected
    assert all(path.exists() for path in folder.iterdir())


def test_frameworks_are_left_to_apples_own_compiler() -> None:
    """There are none in zig; a build on macOS itself gets Metal."""
    target = TARGETS["macos-arm64"]
    assert "-DGGML_METAL=OFF" in library_options(target, "zig")
    assert not any("METAL" in option for option in library_options(target, "system"))
    assert "-DCMAKE_INSTALL_RPATH=@loader_path" in library_options(target, "system")
