"""What is listed of a kit besides packages and libraries."""

from pathlib import Path

import pytest
from cyclonedx.contrib.license.factories import LicenseFactory

from builder.kit.compiled_in import compiled_in
from builder.targets import host_target
from tests.builder.native.cuda.toolkit import install_toolkit


def test_nvidias_parts_of_the_cuda_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have terms of their own, which go along; a kit without the plugin has none of it."""
    home = install_toolkit(tmp_path / "toolkit")
    monkeypatch.setenv("CUDA_PATH", str(home))
    without = compiled_in(host_target(), "zig", "3.11")
    components = compiled_in(host_target(), "zig", "3.11", ["cuda"])
    assert components[: len(without)] == without
    (runtime, terms), (headers, _) = components[len(without) :]
    assert runtime.name == "NVIDIA CUDA Runtime"
    assert runtime.version == "13.0.88"
    assert terms == [home / "EULA.txt"]
    assert headers.name == "CUDA Core Compute Libraries"
    for component in (runtime, headers):
        assert LicenseFactory().make_from_string(component.licence)
