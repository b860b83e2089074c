"""What goes into a vendored folder, and that the builder finds it there."""

from pathlib import Path

import pytest

from builder.kit.stub import zstd_archive
from builder.native.llamacpp import native_libraries, source_archive
from builder.pypi import run_pip
from builder.targets import host_target
from builder.vendor.collect import collect
from builder.vendor.folder import (
    BUILDER,
    COMPILERS,
    CONVERTER,
    KITS,
    LIBRARIES,
    PROJECT,
    SOURCES,
    VARIABLE,
)
from builder.vendor.works import VendorOrder, packages, works
from tests.builder.tiny_wheel import use_only, write_wheel
from tests.builder.vendored import go_offline

ALWAYS = {PROJECT, BUILDER, KITS}


@pytest.mark.parametrize(
    ("order", "more"),
    [
        (VendorOrder([], can_convert=False, can_quantize=False, can_compile=False), set()),
        (VendorOrder([], can_convert=False, can_quantize=False), {SOURCES, COMPILERS}),
        (VendorOrder([], can_convert=False, can_compile=False), {SOURCES, LIBRARIES}),
        (VendorOrder([], can_quantize=False, can_compile=False), {SOURCES, CONVERTER}),
        (VendorOrder([]), {SOURCES, LIBRARIES, COMPILERS, CONVERTER}),
    ],
)
def test_what_is_left_out(order: VendorOrder, more: set[str]) -> None:
    """Each ability brings its part, and any of them the sources."""
    assert {work.part for work in works(order)} == ALWAYS | more


def test_sources_and_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cache is empty, the very same ones come out of the folder, and nothing is built."""
    here = [source_archive(), zstd_archive(), *sorted(native_libraries(host_target()).iterdir())]
    wanted = VendorOrder([], can_convert=False, can_compile=False)
    collect(tmp_path / "v", [one for one in works(wanted) if one.part in (SOURCES, LIBRARIES)])

    monkeypatch.setenv("SOLOFILE_CACHE", str(tmp_path / "cache"))
    go_offline(tmp_path / "v", monkeypatch)
    there = [source_archive(), zstd_archive(), *sorted(native_libraries(host_target()).iterdir())]
    assert all(path.is_relative_to(tmp_path) for path in there)
    assert [path.name for path in there] == [path.name for path in here]
    assert [path.read_bytes() for path in there] == [path.read_bytes() for path in here]


def test_packages(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wheels are fetched as they are pinned, and installed from there."""
    (tmp_path / "index").mkdir()
    use_only(tmp_path / "index", monkeypatch)
    for version in ("1.0", "2.0"):
        write_wheel(tmp_path / "index", {"tiny_model/__init__.py": b""}, version=version)
    work = packages(COMPILERS, "tools", ["tiny-model"], "tiny-model==1.0\n")
    found = collect(tmp_path / "v", [work])
    assert found.names(COMPILERS) == ["tiny_model-1.0-py3-none-any.whl"]

    monkeypatch.setenv(VARIABLE, str(tmp_path / "v"))
    run_pip(
        ["install", "--target", str(tmp_path / "site"), "tiny-model"], doing="it", part=COMPILERS
    )
    assert (tmp_path / "site" / "tiny_model-1.0.dist-info").is_dir()
