"""What the compiler wrappers make of what cmake tells them."""

import subprocess
from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.native.llamacpp import native_libraries
from builder.native.toolchain import zig_environment, zig_toolchain
from builder.targets import TARGETS, host_target

ARM = TARGETS["linux-aarch64"]
X86 = TARGETS["linux-x86_64"]


def macros(wrapper: Path, *flags: str) -> set[str]:
    """Return the names of the macros that a compiler defines beforehand."""
    told = subprocess.run(
        [wrapper, *flags, "-dM", "-E", "-x", "c", "/dev/null"],
        env=zig_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split()[1] for line in told.stdout.splitlines()}


@pytest.mark.parametrize(
    ("flag", "has", "lacks"),
    [
        ("-march=armv8-a", set(), {"__ARM_FEATURE_DOTPROD"}),
        (
            "-march=armv8.2-a+dotprod+fp16",
            {"__ARM_FEATURE_DOTPROD", "__ARM_FEATURE_FP16_VECTOR_ARITHMETIC"},
            {"__ARM_FEATURE_SVE", "__ARM_FEATURE_MATMUL_INT8"},
        ),
        ("-march=armv8.6-a+fp16+sve+i8mm+sve2", {"__ARM_FEATURE_SVE2"}, {"__ARM_FEATURE_SME"}),
        ("-march=armv8.6-a+i8mm+nosve", {"__ARM_FEATURE_MATMUL_INT8"}, {"__ARM_FEATURE_SVE"}),
    ],
)
def test_arm_architectures_are_told_to_zig_in_its_words(
    tmp_path: Path, flag: str, has: set[str], lacks: set[str]
) -> None:
    """Each CPU variant is compiled with its features, and with no other."""
    zig_toolchain(ARM, tmp_path)
    defined = macros(tmp_path / "cc", flag)
    assert has | {"__aarch64__"} <= defined
    assert not lacks & defined


def test_arguments_with_spaces_pass_unchanged(tmp_path: Path) -> None:
    """The wrapper splits and joins nothing."""
    zig_toolchain(X86, tmp_path)
    assert "A" in macros(tmp_path / "cc", "-march=x86_64", "-DA=b  'c' \"$d\" *")


def test_cmake_is_told_of_another_system(tmp_path: Path) -> None:
    """It must not try to run what it compiles."""
    foreign = next(target for target in (ARM, X86) if target != host_target())
    told = zig_toolchain(foreign, tmp_path).cmake_options
    processor = foreign.name.removeprefix("linux-")
    assert {"-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_SYSTEM_PROCESSOR={processor}"} <= set(told)
    own = zig_toolchain(host_target(), tmp_path).cmake_options
    assert not any("CMAKE_SYSTEM" in option for option in own)


def test_the_systems_compiler_builds_for_its_own_system() -> None:
    """It is said before anything is configured."""
    with pytest.raises(ToolError, match="by the system toolchain"):
        native_libraries(TARGETS["macos-arm64"], toolchain="system")


def test_plugins_for_macos_are_linked_as_libraries(tmp_path: Path) -> None:
    """A bundle, as cmake asks for, is what zig cannot link."""
    zig_toolchain(TARGETS["macos-arm64"], tmp_path)
    (tmp_path / "plugin.c").write_text("int plugin(void) { return 1; }\n", encoding="utf-8")
    command = ["./cc", "-bundle", "-o", "plugin.so", "plugin.c"]
    subprocess.run(command, cwd=tmp_path, env=zig_environment(), check=True)
    # mach-o/loader.h: the magic of 64-bit files, and MH_DYLIB.
    header = (tmp_path / "plugin.so").read_bytes()[:16]
    assert header[:4] == b"\xcf\xfa\xed\xfe"
    assert header[12] == 6
