"""Tests of where cells stand behind images that take fewer positions than cells."""

from runtime.engine.image_span import ImageSpan
from runtime.engine.positions import Positions

# Cells 3 to 15 at positions 3 to 7, then cells 20 to 26 at positions 12 to 14.
IMAGES = (ImageSpan(3, 12, None, 4, ()), ImageSpan(20, 6, None, 2, ()))


def _positions() -> Positions:
    positions = Positions()
    for image in IMAGES:
        positions.add(1, image)
    return positions


def test_cells_behind_images_stand_further_ahead() -> None:
    """Each image moves what follows; the cells of one all count as its first."""
    cells = (0, 3, 4, 14, 15, 20, 25, 26, 30)
    assert [_positions().of(1, cell) for cell in cells] == [0, 3, 3, 3, 7, 12, 12, 14, 18]


def test_a_copy_and_what_is_left_know_their_images() -> None:
    """A shared prefix has the images in it, and a cut sequence those before the cut."""
    positions = _positions()
    positions.copy(1, 2, 15)
    positions.cut(1, 3)
    assert positions.of(2, 30) == 22
    assert positions.of(1, 30) == 30


def test_an_image_of_one_row() -> None:
    """It takes a position for each cell, and yet all of them stand at its first."""
    positions = Positions()
    positions.add(1, ImageSpan(3, 12, None, 12, ()))
    assert [positions.of(1, cell) for cell in (3, 9, 15, 30)] == [3, 3, 15, 30]


def test_images_without_positions_of_their_own() -> None:
    """Where each cell has its position, cells are positions."""
    positions = Positions()
    positions.add(1, ImageSpan(3, 12, None, 12))
    assert positions.of(1, 30) == 30
