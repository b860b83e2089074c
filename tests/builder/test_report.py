"""What a build tells at its end."""

from pathlib import Path

import msgspec
import pytest

from builder.overview import overview
from builder.report import Report
from runtime.manifest import Origin

REPORT = Report(
    path="dist/Tiny-Q4_1",
    size=120_000_000,
    overhead=20_000_000,
    name="Tiny",
    quantization="Q4_1",
    license="mit",
    target="linux-x86_64",
    glibc="2.42",
    seconds=65.25,
    start_seconds=0.84,
    answer="Paris.",
    source="models/Tiny-Q4_1.gguf",
    origin=Origin(kind="file", files=[]),
)


def test_for_people() -> None:
    """Everything one wants to know stands on lines of its own."""
    assert REPORT.as_text().splitlines() == [
        "Solofile:         dist/Tiny-Q4_1",
        "Model:            Tiny Q4_1 mit",
        "Size:             120.0 MB, 20.0 MB more than the weights",
        "Runs on:          linux-x86_64, glibc 2.42 or newer: Ubuntu 25.10, Fedora 43 and later",
        "Made in:          1 min 5 s",
        "First word after: 0.8 s",
        "Run it:           ./dist/Tiny-Q4_1",
    ]


def test_what_is_not_known_is_left_out() -> None:
    """An untested file has no start time, and a target without glibc names none."""
    bare = msgspec.structs.replace(REPORT, start_seconds=None, answer=None, glibc="", license="")
    text = bare.as_text()
    assert "First word" not in text
    assert "glibc" not in text
    assert "Tiny Q4_1\n" in text


def test_several_for_people() -> None:
    """Each file has a line, and what is the same for all stands there once."""
    other = msgspec.structs.replace(REPORT, path="dist/Tiny-b", start_seconds=None)
    told = "120.0 MB, 20.0 MB more than the weights"
    assert overview([REPORT, other]).splitlines() == [
        f"Solofile:         dist/Tiny-Q4_1: {told}; first word after 0.8 s",
        f"Solofile:         dist/Tiny-b: {told}; not tested here",
        "Model:            Tiny Q4_1 mit",
    ]
    assert overview([REPORT]) == REPORT.as_text()


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("dist/Tiny", "./dist/Tiny"),
        ("Tiny", "./Tiny"),
        (str(Path("/opt/Tiny")), "/opt/Tiny"),
        ("dist/My model", "'./dist/My model'"),
    ],
)
def test_the_command_can_be_pasted(path: str, command: str) -> None:
    """A shell in this folder starts the file by it."""
    assert msgspec.structs.replace(REPORT, path=path).command == command
