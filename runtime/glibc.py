"""Versions of glibc, and the Linux distributions they mean."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class GlibcVersion:
    """A version of glibc; a newer one is greater."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a version such as `2.28`.

        Raises:
            ValueError: It is none.
        """
        major, minor = text.split(".")
        return cls(int(major), int(minor))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


# Each release's glibc, by its minor version: that of 2.28 is 28.
_RELEASES = {
    "Debian": {"8": 19, "9": 24, "10": 28, "11": 31, "12": 36, "13": 41},
    "Ubuntu": {
        "13.10": 17, "14.04": 19, "16.04": 23, "18.04": 27, "18.10": 28, "19.04": 29, "19.10": 30,
        "20.04": 31, "20.10": 32, "21.04": 33, "21.10": 34, "22.04": 35, "22.10": 36, "23.04": 37,
        "23.10": 38, "24.04": 39, "24.10": 40, "25.04": 41, "25.10": 42,
    },
    "Fedora": {
        "19": 17, "28": 27, "29": 28, "30": 29, "31": 30, "32": 31, "33": 32, "34": 33, "35": 34,
        "36": 35, "37": 36, "38": 37, "39": 38, "40": 39, "41": 40, "42": 41, "43": 42,
    },
    "RHEL": {"7": 17, "8": 28, "9": 34, "10": 39},
}  # fmt: skip


def system_needed(glibc: str) -> str:
    """Return what a program for Linux runs on, by the lowest glibc it needs.

    Args:
        glibc: The version, such as `2.28`.

    Returns:
        `glibc 2.28 or newer: Debian 10, Ubuntu 18.10, Fedora 29, RHEL 8 and later`.
    """
    version = GlibcVersion.parse(glibc)
    first = [
        f"{name} {next(release for release in releases if releases[release] >= version.minor)}"
        for name, releases in _RELEASES.items()
        if version.minor <= max(releases.values())
    ]
    distributions = f": {', '.join(first)} and later" if first else ""
    return f"glibc {version} or newer{distributions}"
