"""Fetching packages with the real pip, from a folder of the test's own."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.pypi import download, install_tools, run_pip
from tests.builder.fake_index import FakeIndex, serving_index
from tests.builder.tiny_wheel import use_only, write_wheel


@pytest.fixture
def index(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder pip takes wheels from, and nothing else."""
    folder = tmp_path / "index"
    folder.mkdir()
    use_only(folder, monkeypatch)
    return folder


def test_download_once(index: Path, tmp_path: Path) -> None:
    """A distribution lies in its folder, and pip is not asked for it again."""
    wheel = write_wheel(index, {"tiny_model/__init__.py": b""})
    path = download("tiny-model==1.0", tmp_path / "here")
    assert path == tmp_path / "here" / wheel.name
    wheel.unlink()
    assert download("tiny-model==1.0", tmp_path / "here") == path


def test_a_failed_download_leaves_nothing(index: Path, tmp_path: Path) -> None:
    """What is not there is told with pip's reason, and can be tried again."""
    with pytest.raises(SourceError, match=r"Could not download tiny-model==1\.0: No matching"):
        download("tiny-model==1.0", tmp_path / "here")
    assert not (tmp_path / "here").exists()
    write_wheel(index, {"tiny_model/__init__.py": b""})
    assert download("tiny-model==1.0", tmp_path / "here").is_file()


def test_install_tools(index: Path, own_cache: Path) -> None:
    """A tool is installed into a folder of its own, once."""
    wheel = write_wheel(index, {"tiny_model/__init__.py": b"x = 1\n"})
    folder = install_tools("tiny", ["tiny-model==1.0"])
    assert folder == own_cache / "tools" / "tiny"
    assert (folder / "tiny_model" / "__init__.py").read_bytes() == b"x = 1\n"
    wheel.unlink()
    assert install_tools("tiny", ["tiny-model==1.0"]) == folder


@pytest.fixture
def served(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIndex]:
    """An index on this machine, the only one pip asks."""
    (tmp_path / "served").mkdir()
    content = random.Random(1).randbytes(500_000)
    wheel = write_wheel(tmp_path / "served", {"tiny_model/data": content})
    with serving_index(FakeIndex(wheel)) as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        monkeypatch.setenv("PIP_RETRIES", "2")
        yield index


def test_a_broken_download_is_told_and_tried_again(served: FakeIndex, tmp_path: Path) -> None:
    """A cut connection is one sentence and leaves nothing; the next run gets it."""
    served.sent_shares = [0.37] * 8
    with pytest.raises(SourceError, match=r"Could not download tiny-model==1\.0: what came is"):
        download("tiny-model==1.0", tmp_path / "here")
    assert not (tmp_path / "here").exists()
    served.sent_shares = []
    path = download("tiny-model==1.0", tmp_path / "here")
    assert path.read_bytes() == served.wheel.read_bytes()


def test_another_digest_than_the_index_says(served: FakeIndex, tmp_path: Path) -> None:
    """What is not the promised wheel is refused, and the next run fetches it anew."""
    served.is_altered = True
    with pytest.raises(SourceError, match="what came is not the file that was promised"):
        download("tiny-model==1.0", tmp_path / "here")
    assert not (tmp_path / "here").exists()
    served.is_altered = False
    assert download("tiny-model==1.0", tmp_path / "here").is_file()


def test_a_busy_index(served: FakeIndex, tmp_path: Path) -> None:
    """Twice 503 and then good is good."""
    served.statuses = [503, 503]
    assert download("tiny-model==1.0", tmp_path / "here").is_file()
    assert served.num_requests == 3


def test_a_killed_pip_leaves_nothing_for_ever(served: FakeIndex, own_cache: Path) -> None:
    """What pip wrote on its way lies in the cache's scratch folder, which the next run sweeps."""
    seen: list[Path] = []

    def listen(line: str) -> None:
        seen.extend((own_cache / "scratch").glob(".pip.*.part/*"))

    target = own_cache / "target"
    run_pip(
        ["download", "--no-deps", "-d", str(target), "tiny-model==1.0"],
        doing="download it",
        listen=listen,
    )
    assert seen
    assert list((own_cache / "scratch").iterdir()) == []
