"""The variants of the CPU backend on the processor that runs the test."""

import re
import sys
from pathlib import Path

import pytest

from builder.native.start_library import start_libraries
from builder.targets import host_target
from runtime.cli.cpu_report import cpu_report
from runtime.engine.cpu_variants import CpuVariant, cpu_variants
from runtime.engine.start_library import VARIANTS
from tests.gpu_libraries import libraries_with, run_with

LOADING = """
from pathlib import Path
from runtime.engine.llama import Llama

Llama.load()
print(Path("/proc/self/maps").read_text())
"""


def test_the_best_that_can_run_is_used(binding: None) -> None:
    """One variant is used, of the highest score; what cannot run lacks what no other has."""
    variants = cpu_variants()
    scores = [variant.score for variant in variants]

    assert len(variants) > 3
    assert scores == sorted(scores, reverse=True)
    assert [variant.is_used for variant in variants] == [True] + [False] * (len(variants) - 1)
    runnable = [variant for variant in variants if variant.score]
    present = {feature for variant in runnable for feature in variant.features}
    assert all(not variant.missing for variant in runnable)
    assert all(present.isdisjoint(variant.missing) for variant in variants)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ggml itself chooses")
def test_a_start_takes_the_same(binding: None, tmp_path: Path) -> None:
    """A start tries them in the order of their scores, and knows all of them."""
    folder = libraries_with(tmp_path / "libraries", [])
    for library in start_libraries(host_target()):
        (folder / library.name).symlink_to(library)
    variants = cpu_variants()

    assert {variant.name for variant in variants} <= set(VARIANTS)
    runnable = [variant.name for variant in variants if variant.score]
    assert runnable == [name for name in VARIANTS if name in runnable]
    completed = run_with(folder, "-c", LOADING)
    assert set(re.findall(r"ggml-cpu-(.+)\.so", completed.stdout)) == {runnable[0]}


def test_report() -> None:
    """The report names what is used, why, and what each other variant would need."""
    variants = [
        CpuVariant("sse42", 5, ["SSE3"], [], is_used=True),
        CpuVariant("x64", 1, [], [], is_used=False),
        CpuVariant("sandybridge", 0, ["SSE3", "AVX"], ["AVX"], is_used=False),
        CpuVariant("haswell", 0, ["SSE3", "AVX", "FMA"], ["AVX", "FMA"], is_used=False),
        CpuVariant("armv8.6_2", 0, [], [], is_used=False),
    ]

    assert cpu_report(variants).splitlines() == [
        "used             sse42",
        "computes with    SSE3",
        "variants, the highest score that this processor can run is used:",
        "  sse42                5",
        "  x64                  1",
        "  sandybridge          -  this processor lacks AVX",
        "  haswell              -  this processor lacks one of AVX, FMA",
        "  armv8.6_2            -  this processor lacks something that ggml does not name",
    ]


def test_report_on_base_and_on_nothing() -> None:
    """The plainest variant has no features; without any that runs, that is said."""
    base = CpuVariant("x64", 1, [], [], is_used=True)
    foreign = CpuVariant("zen4", 0, ["AVX512"], ["AVX512"], is_used=False)

    assert "computes with    nothing beyond the base" in cpu_report([base])
    assert cpu_report([foreign]).startswith("used             none: this processor")
