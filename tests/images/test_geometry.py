"""Image pixels and patch cells: laws over random images, recipes and boxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import UsageError
from indexer.images.geometry import Box, Cells, view
from indexer.images.recipe import Recipe, preprocess

UNIT = {"mean": (0.0,) * 3, "std": (1.0,) * 3, "rescale": 1.0}
RECIPES = [
    Recipe(440, "bilinear", (384, 384), **UNIT),
    Recipe((96, 64), "bilinear", None, **UNIT),
    Recipe((96, 96), "bilinear", (64, 80), **UNIT),
    Recipe(None, "bilinear", (32, 48), **UNIT),
]
PATCH = 16
edges = st.integers(48, 4000)
fractions = st.tuples(*(st.floats(0, 1),) * 4)


@st.composite
def views(draw):
    recipe = draw(st.sampled_from(RECIPES))
    height, width = draw(edges), draw(edges)
    return view(recipe, height=height, width=width, patch=PATCH), height, width


@given(views(), fractions)
def test_box_to_cells_to_box_encloses_the_clipped_box_within_one_patch(viewed, corners):
    seen, height, width = viewed
    (x0, x1), (y0, y1) = sorted(corners[:2]), sorted(corners[2:])
    box = Box(x0 * width, y0 * height, x1 * width, y1 * height)
    clip = Box(
        max(box.left, seen.seen.left),
        max(box.top, seen.seen.top),
        min(box.right, seen.seen.right),
        min(box.bottom, seen.seen.bottom),
    )
    slack = 1e-6 * max(height, width)
    if clip.right - clip.left <= slack or clip.bottom - clip.top <= slack:
        return
    back = seen.enclosing(seen.cells(box))
    step_x, step_y = PATCH / seen.scale_x, PATCH / seen.scale_y
    for near, far, step in (
        (back.left, clip.left, step_x),
        (back.top, clip.top, step_y),
        (clip.right, back.right, step_x),
        (clip.bottom, back.bottom, step_y),
    ):
        assert near <= far + slack
        assert far - near < step + slack


@given(views(), fractions)
def test_there_and_back_is_the_identity(viewed, corners):
    seen, height, width = viewed
    box = Box(*np.multiply(corners, (width, height, width, height)))
    np.testing.assert_allclose(seen.to_image(seen.to_model(box)), box, atol=1e-6 * (height + width))


@given(views())
def test_what_is_seen_lies_in_the_image_and_is_the_whole_grid(viewed):
    seen, height, width = viewed
    rows, columns = seen.grid
    left, top, right, bottom = seen.seen
    slack = 1e-9 * (height + width)
    assert -slack <= left < right <= width + slack
    assert -slack <= top < bottom <= height + slack
    assert seen.enclosing(Cells(0, 0, columns, rows)) == seen.seen
    assert seen.cells(Box(0, 0, width, height)) == Cells(0, 0, columns, rows)


def test_by_hand():
    """880 x 1760 -> 440 x 880 -> the middle 384 x 384: scale 1/2, offset (248, 28)."""
    seen = view(RECIPES[0], height=880, width=1760, patch=PATCH)
    assert seen.grid == (24, 24)
    assert seen.seen == Box(496, 56, 1264, 824)
    assert seen.cells(Box(496, 56, 528, 88)) == Cells(0, 0, 1, 1)
    assert seen.cells(Box(527, 87, 529, 89)) == Cells(0, 0, 2, 2)
    assert seen.enclosing(Cells(1, 2, 3, 4)) == Box(528, 120, 592, 184)


def test_the_map_is_that_of_the_pixels():
    """A bright rectangle lights exactly the patches that its cells name."""
    rgb = np.zeros((300, 500, 3), np.uint8)
    rgb[120:180, 200:300] = 255
    recipe = Recipe(96, "box", (96, 96), **UNIT)
    seen = view(recipe, height=300, width=500, patch=PATCH)
    pixels = preprocess(rgb, recipe)[0]
    lit = pixels.reshape(6, PATCH, 6, PATCH).max(axis=(1, 3)) > 0
    expected = np.zeros((6, 6), bool)
    cells = seen.cells(Box(200, 120, 300, 180))
    expected[cells.top : cells.bottom, cells.left : cells.right] = True
    np.testing.assert_array_equal(lit, expected)


def test_boxes_without_a_cell_are_refused():
    seen = view(RECIPES[0], height=880, width=1760, patch=PATCH)
    with pytest.raises(UsageError, match=r"meets \(496.0, 56.0, 1264.0, 824.0\)"):
        seen.cells(Box(0, 0, 400, 800))
    with pytest.raises(UsageError, match="empty box"):
        seen.cells(Box(600, 100, 600, 200))
