"""Versions of glibc and what they mean."""

import platform

import pytest

from runtime.glibc import GlibcVersion, system_needed


def test_versions_are_ordered_as_numbers() -> None:
    """2.9 is older than 2.27, and the text of a version can be read again."""
    assert GlibcVersion(2, 9) < GlibcVersion(2, 27)
    assert str(GlibcVersion(2, 9)) == "2.9"
    assert GlibcVersion.parse("2.9") == GlibcVersion(2, 9)


@pytest.mark.parametrize(
    ("glibc", "distributions"),
    [
        # Those that pypa's manylinux names for its tags.
        ("2.17", ": Debian 8, Ubuntu 13.10, Fedora 19, RHEL 7 and later"),
        ("2.28", ": Debian 10, Ubuntu 18.10, Fedora 29, RHEL 8 and later"),
        ("2.34", ": Debian 12, Ubuntu 21.10, Fedora 35, RHEL 9 and later"),
        ("2.42", ": Ubuntu 25.10, Fedora 43 and later"),
        ("2.99", ""),
    ],
)
def test_distributions(glibc: str, distributions: str) -> None:
    """Of each distribution the oldest release that has it is named, where there is one yet."""
    assert system_needed(glibc) == f"glibc {glibc} or newer{distributions}"


def test_this_system_is_where_the_table_says() -> None:
    """The table agrees with the Debian or Ubuntu that runs the test."""
    system = platform.freedesktop_os_release()
    release = f"{system['ID'].capitalize()} {system.get('VERSION_ID', '')}"
    if system["ID"] not in {"debian", "ubuntu"}:
        pytest.skip(f"{release} is not asked for its glibc")
    assert f"{release}," in f"{system_needed(platform.libc_ver()[1])},"
