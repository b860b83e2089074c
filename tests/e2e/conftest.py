"""What tests of a whole solofile share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop import Desktop


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    """A session of someone at a screen, without a terminal."""
    with Desktop(tmp_path) as session:
        yield session
