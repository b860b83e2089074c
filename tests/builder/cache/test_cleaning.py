"""Listing and cleaning a cache of the tests' own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from huggingface_hub import constants

from builder.__main__ import run
from builder.cache.cleaning import DAY_S, clean
from builder.cache.inventory import items, size_of
from builder.cache.layout import KINDS, left_overs
from runtime.errors import UsageError
from tests.builder.cache.test_items import HOLD
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_kit import make_tiny_kit

RUNTIME = "0" * 32


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub's own, with nothing in it."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def cache(own_cache: Path) -> Path:
    """A cache with an item or two of many kinds, and remains of killed runs."""
    for name in (
        "kits/built/linux-x86_64-1", "kits/imported/linux-x86_64-2", "llamacpp/0.1/source",
        "llamacpp/0.1/sdist", "stub/linux-x86_64-3", "zstd/zstandard-1", "tools/zig-1",
        "wheels/tiny-1.0", "merged", "quantized", "converter/environment-4", f"runtime/{RUNTIME}",
        f"runtime/{RUNTIME}.part.12.34", "bench/other-5", "logs",
        "tools/.zig-2.abcd1234.part", "scratch/.kit.abcd1234.part",
    ):  # fmt: skip
        (own_cache / name).mkdir(parents=True)
        (own_cache / name / "file").write_bytes(bytes(1000))
    for name in ("merged", "quantized", "logs"):
        (own_cache / name / "file").unlink()
    write_gguf(own_cache / "quantized" / "abc.gguf")
    (own_cache / "quantized" / ".def.gguf.abcd1234.part").write_bytes(bytes(500))
    (own_cache / "quantized" / ".def.gguf.lock").touch()
    (own_cache / "logs" / "error-1.log").write_bytes(bytes(10))
    for kind in ("built/linux-x86_64-1", "imported/linux-x86_64-2"):
        make_tiny_kit_info(own_cache / "kits" / kind)
    (own_cache / "mine.txt").write_bytes(b"not ours")
    (own_cache / "mine").mkdir()
    return own_cache


def make_tiny_kit_info(folder: Path) -> None:
    import msgspec

    kit = make_tiny_kit(folder)
    (folder / "kit.json").write_bytes(msgspec.json.encode(kit.info))


def make_old(path: Path, days: float) -> None:
    then = time.time() - days * DAY_S
    os.utime(path, (then, then))


def make_all_old(cache: Path, days: float) -> None:
    for path in cache.rglob("*"):
        make_old(path, days)


def test_what_is_listed(cache: Path) -> None:
    """Each item is listed with what it is; what is not finished, or not ours, is not."""
    found = {item.path.removeprefix(f"{cache}/"): item for item in items()}
    assert set(found) == {
        "kits/built/linux-x86_64-1", "kits/imported/linux-x86_64-2", "llamacpp/0.1/source",
        "llamacpp/0.1/sdist", "stub/linux-x86_64-3", "zstd/zstandard-1", "tools/zig-1",
        "wheels/tiny-1.0", "quantized/abc.gguf", "converter/environment-4", f"runtime/{RUNTIME}",
        "bench/other-5", "logs/error-1.log",
    }  # fmt: skip
    assert found["kits/built/linux-x86_64-1"].what == "linux-x86_64, solofile 0.1.0"
    assert found["quantized/abc.gguf"].what == "Tiny"
    assert found["tools/zig-1"].what == "zig-1"
    assert found["tools/zig-1"].size == 1000
    assert not any(item.is_in_use for item in found.values())
    assert len(left_overs()) == 4


def test_cleaning_takes_what_is_old(cache: Path) -> None:
    """After 30 days without use an item goes; remains go at once; imported kits stay."""
    make_all_old(cache, 1)
    done = clean(is_dry_run=True)
    assert len(done.removed) == 4
    assert len(left_overs()) == 4
    make_old(cache / "tools/zig-1", 31)
    make_old(cache / "kits/imported/linux-x86_64-2", 31)
    done = clean()
    assert str(cache / "tools/zig-1") in done.removed
    assert (len(done.removed), done.freed, done.in_use) == (5, 1000 + 3 * 1000 + 500, [])
    assert left_overs() == []
    assert not list(cache.rglob("*.lock"))
    assert {item.kind for item in items()} == set(KINDS) - {
        "tools", "roots", "merged", "converted", "imatrix", "downloads", "baked"
    }  # fmt: skip


def test_cleaning_some_kinds(cache: Path) -> None:
    """A kind that is named goes whole, or by the age that is asked for."""
    make_old(cache / "stub/linux-x86_64-3", 3)
    assert clean(["launchers"], min_age_s=4 * DAY_S).removed == []
    done = clean(["launchers", "imported-kits"])
    assert done.removed == [
        str(cache / "stub/linux-x86_64-3"), str(cache / "kits/imported/linux-x86_64-2")
    ]  # fmt: skip
    with pytest.raises(UsageError, match="everything is no kind of items"):
        clean(["everything"])


def test_unfinished_downloads(cache: Path, hub_cache: Path) -> None:
    """They can be gone on with for 30 days; finished ones are not ours to remove."""
    blobs = hub_cache / "models--acme--Tiny" / "blobs"
    blobs.mkdir(parents=True)
    for name in ("a", "b.incomplete", "c.incomplete"):
        (blobs / name).write_bytes(bytes(100))
    make_old(blobs / "a", 31)
    make_old(blobs / "b.incomplete", 31)
    assert len(items([KINDS["downloads"]])) == 2
    assert str(blobs / "b.incomplete") in clean().removed
    assert sorted(path.name for path in blobs.iterdir()) == ["a", "c.incomplete"]


def test_what_is_in_use_stays(cache: Path) -> None:
    """What a process holds is told and kept, and so is what one is still writing."""
    path = cache / "tools/zig-1"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:
        assert user.stdout
        user.stdout.readline()
        (item,) = items([KINDS["tools"]])
        assert item.is_in_use
        done = clean(list(KINDS))
        assert done.in_use == [str(path)]
        assert path.exists()
        user.communicate(b"\n")
    assert clean(list(KINDS)).removed == [str(path)]
    assert sorted(one.name for one in cache.iterdir() if one.name.startswith("mine")) == [
        "mine", "mine.txt"
    ]  # fmt: skip


def test_remains_that_are_written_now_stay(cache: Path) -> None:
    """Something unfinished stays until its writer is gone."""
    writer = (
        "import sys\nfrom pathlib import Path\nfrom builder.files import atomic_folder\n"
        "with atomic_folder(Path(sys.argv[1])):\n"
        "    print('writing', flush=True)\n    sys.stdin.readline()\n"
    )
    target = cache / "tools" / "new"
    command = [sys.executable, "-c", writer, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        (part,) = (cache / "tools").glob(".new.*.part")
        make_old(part, 1)
        clean(list(KINDS))
        assert part.exists()
        process.communicate(b"\n")
    assert target.exists()


def test_size_of(tmp_path: Path) -> None:
    """Links count as nothing, so that one to a large folder is not taken for it."""
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "file").write_bytes(bytes(300))
    assert size_of(tmp_path / "folder") == 300
    assert size_of(tmp_path / "folder" / "deep" / "file") == 300


def test_the_commands(cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """They print for people and for programs."""
    make_all_old(cache, 40)
    assert run(["cache"]) == 0
    text = capfd.readouterr().out
    assert "linux-x86_64, solofile 0.1.0" in text
    assert run(["cache", "list", "--json"]) == 0
    listed = json.loads(capfd.readouterr().out)
    assert len(listed) == 13
    assert set(listed[0]) == {"kind", "what", "path", "size", "last_used", "is_in_use"}
    assert run(["cache", "size", "--json"]) == 0
    sizes = json.loads(capfd.readouterr().out)
    assert sizes["path"] == str(cache)
    assert sizes["total"] == sum(sizes["kinds"].values()) == sum(one["size"] for one in listed)
    assert run(["cache", "size"]) == 0
    assert f"together      {' ' * 3}" in capfd.readouterr().out
    assert run(["cache", "clean", "--older-than", "soon"]) == 2
    assert "soon is no age" in capfd.readouterr().err
    assert run(["cache", "clean", "--dry-run"]) == 0
    assert f"Would remove {cache / 'tools/zig-1'}\n" in capfd.readouterr().out
    assert run(["cache", "clean", "launchers", "--older-than", "41d"]) == 0
    capfd.readouterr()
    assert run(["cache", "clean", "--json"]) == 0
    removed = json.loads(capfd.readouterr().out)["removed"]
    assert str(cache / "kits/imported/linux-x86_64-2") not in removed
    assert len(items()) == 1
    assert run(["cache", "clean", "--all"]) == 0
    assert items() == []
    assert (cache / "mine.txt").exists()


def test_an_empty_cache(own_cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where nothing is kept, nothing is made either."""
    for words in (["list"], ["size"], ["clean", "--all"]):
        assert run(["cache", *words]) == 0
    assert "Freed 0 B." in capfd.readouterr().out
    assert not own_cache.exists()
