"""What the builder's tests share."""

from pathlib import Path

import pytest


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own, for tests that fetch or write models."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("SOLOFILE_CACHE", str(cache))
    return cache
