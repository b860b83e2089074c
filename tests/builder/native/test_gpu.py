"""What the plugins find on a system, and what headers that are too old get."""

import subprocess
from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.native.gpu import find_plugin
from builder.native.toolchain import zig, zig_environment
from builder.targets import host_target

USES = """
#include <vulkan/vulkan.hpp>
int main() {
    uint32_t on = 1;
    std::vector<vk::LayerSettingEXT> all = {{"a", "b", vk::LayerSettingTypeEXT::eBool32, 1, &on}};
    vk::LayerSettingsCreateInfoEXT info(all);
    return static_cast<int>(info.setting_count) - 1;
}
"""


def _write_sdk(folder: Path, version: int) -> Path:
    """Write an SDK of Vulkan that has what is looked for and nothing in it."""
    for name in ("include/vulkan", "include/spirv/unified1", "lib", "bin"):
        (folder / name).mkdir(parents=True)
    (folder / "include/vulkan/vulkan.hpp").write_text("#pragma once\nnamespace vk {}\n")
    core = f"#define VK_HEADER_VERSION {version}\n"
    (folder / "include/vulkan/vulkan_core.h").write_text(core)
    (folder / "include/spirv/unified1/spirv.hpp").touch()
    (folder / "lib/libvulkan.so").touch()
    glslc = folder / "bin/glslc"
    glslc.write_text("#!/bin/sh\necho shaderc 2023.2\n")
    glslc.chmod(0o755)
    return folder


@pytest.fixture
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an SDK is, with nothing else on PATH than its programs."""
    folder = tmp_path / "sdk"
    monkeypatch.setenv("VULKAN_SDK", str(folder))
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")
    return folder


def test_old_headers_get_what_they_lack(sdk: Path, tmp_path: Path) -> None:
    """Debian 12's know no layer settings; llama.cpp's source then compiles all the same."""
    plugin = find_plugin("vulkan") if _write_sdk(sdk, 239) else None
    assert plugin
    assert plugin.tools.startswith("239 shaderc 2023.2")
    options = plugin.prepare(tmp_path / "build")
    include = tmp_path / "build" / "vulkan"
    assert f"-DVulkan_INCLUDE_DIR={include}" in options
    source = tmp_path / "uses.cpp"
    source.write_text(USES)
    compiler = [str(zig()), "c++", "-target", host_target().zig_triple, "-std=c++17", "-Werror"]
    output = ["-c", "-o", str(tmp_path / "uses.o")]
    subprocess.run(
        [*compiler, f"-I{include}", str(source), *output], env=zig_environment(), check=True
    )


def test_new_headers_stay_as_they_are(sdk: Path, tmp_path: Path) -> None:
    """Only the version decides."""
    _write_sdk(sdk, 350)
    find_plugin("vulkan").prepare(tmp_path / "build")
    header = tmp_path / "build" / "vulkan" / "vulkan" / "vulkan.hpp"
    assert header.resolve() == sdk / "include/vulkan/vulkan.hpp"


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to get them."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(ToolError, match=r"without .*glslc.*apt install glslc"):
        find_plugin("vulkan")


def test_a_plugin_that_is_none() -> None:
    """Recipes may say anything."""
    with pytest.raises(ToolError, match=r"metal is no GPU plugin\. There are cuda and vulkan"):
        find_plugin("metal")


def test_cuda_is_the_pinned_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version, our sources and the GPUs decide what is built."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.delenv("CUDA_PATH", raising=False)
    monkeypatch.delenv("CUDAARCHS", raising=False)
    plugin = find_plugin("cuda")
    assert plugin.toolchain == "zig"
    assert "nvidia-cuda-nvcc==" in plugin.tools
    assert "-DCMAKE_CUDA_ARCHITECTURES=75-real;80-real;90;120-real" in plugin.options
    monkeypatch.setenv("CUDAARCHS", "86-real")
    other = find_plugin("cuda")
    assert "-DCMAKE_CUDA_ARCHITECTURES=86-real" in other.options
    assert other.tools != plugin.tools
