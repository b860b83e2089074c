"""The operating systems and architectures a solofile can be made for."""

import platform
import sys
from dataclasses import dataclass

from builder.errors import ToolError


@dataclass(frozen=True, slots=True)
class Target:
    """One OS and architecture.

    Args:
        name: `OS-architecture`, as in `linux-x86_64`.
        executable_suffix: What a solofile's name ends with there.
        zig_triple: The compiler's name for it, with the lowest glibc on Linux or the lowest macOS.
        max_file_bytes: The largest executable the OS starts; 0 is no limit.
    """

    name: str
    executable_suffix: str = ""
    zig_triple: str = ""
    max_file_bytes: int = 0

    @property
    def is_macos(self) -> bool:
        """Whether it is a Mac."""
        return self.name.startswith("macos-")

    @property
    def lowest_macos(self) -> str:
        """The oldest macOS that its launcher runs on, as `11.0`; empty on other systems."""
        return self.zig_triple.partition("-macos.")[2]


TARGETS = {
    target.name: target
    for target in (
        Target("linux-x86_64", zig_triple="x86_64-linux-gnu.2.28"),
        Target("linux-aarch64", zig_triple="aarch64-linux-gnu.2.28"),
        Target("macos-arm64", zig_triple="aarch64-macos.11.0"),
        Target("macos-x86_64", zig_triple="x86_64-macos.11.0"),
        Target("windows-x86_64", ".exe", "x86_64-windows-gnu", (4 << 30) - 1),
    )
}

# What stands for every target that there is a kit for.
ALL = "all"

_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def host_target() -> Target:
    """Return the target of this machine.

    Raises:
        ToolError: Solofiles cannot be made for a machine of this kind.
    """
    system = _SYSTEMS.get(sys.platform, sys.platform)
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    if system == "macos" and machine == "aarch64":
        machine = "arm64"
    return find_target(f"{system}-{machine}")


def find_target(name: str) -> Target:
    """Return the target called `name`.

    Raises:
        ToolError: There is none of that name.
    """
    if name not in TARGETS:
        raise ToolError(
            f"{name} is not a target.", hint=f"The targets are {', '.join(sorted(TARGETS))}."
        )
    return TARGETS[name]
