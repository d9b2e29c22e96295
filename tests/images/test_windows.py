"""Tiles and surroundings: laws over any image size and recipe."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import UsageError
from indexer.images.geometry import Box
from indexer.images.recipe import Recipe, preprocess
from indexer.images.region import Region, covered
from indexer.images.windows import preprocess_window, surroundings, tiles, window_view

UNIT = {"mean": (0.0,) * 3, "std": (1.0,) * 3, "rescale": 1.0}
RECIPES = [
    Recipe(256, "bilinear", (224, 224), **UNIT),
    Recipe((96, 64), "bilinear", None, **UNIT),
    Recipe(None, "bilinear", (32, 48), **UNIT),
]
PATCH = 16
edges = st.integers(16, 5000)
recipes = st.sampled_from(RECIPES)


@given(recipes, edges, edges)
def test_tiles_cover_the_image_and_lie_in_it(recipe, height, width):
    windows = tiles(height, width, recipe)
    assert len(windows) <= 150
    for left, top, right, bottom in windows:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    if max(height, width) <= 8 * min(height, width):
        for low, high, length in ((0, 2, width), (1, 3, height)):
            spans = sorted({(window[low], window[high]) for window in windows})
            assert spans[0][0] == 0
            assert spans[-1][1] == length
            assert all(b[0] <= a[1] for a, b in pairwise(spans))


@given(recipes, edges, edges, st.tuples(*(st.floats(0, 1),) * 4))
def test_surroundings_hold_the_box_and_the_view_is_the_pixels(recipe, height, width, corners):
    (x0, x1), (y0, y1) = sorted(corners[:2]), sorted(corners[2:])
    box = Box(x0 * width, y0 * height, x1 * width, y1 * height)
    if box.right - box.left < 1 or box.bottom - box.top < 1:
        return
    windows = surroundings(box, height, width, recipe)
    assert len(windows) in (1, 2)
    assert windows == sorted(set(windows), key=lambda w: (w.right - w.left, w.bottom - w.top))
    for window in windows:
        holds(window, box, height, width, recipe)


def holds(window, box, height, width, recipe):
    assert all(edge == int(edge) for edge in window)
    assert 0 <= window.left < window.right <= width
    assert 0 <= window.top < window.bottom <= height
    assert window.left <= box.left + 1
    assert window.right >= box.right - 1
    assert window.top <= box.top + 1
    assert window.bottom >= box.bottom - 1
    seen = window_view(window, recipe, PATCH)
    rows, columns = seen.grid
    corner = seen.to_image(Box(0, 0, seen.width, seen.height))
    np.testing.assert_allclose(corner, window, atol=1e-6 * (height + width))
    inside = covered(seen, box)
    assert 1 <= len(inside) <= rows * columns
    back = seen.enclosing(seen.cells(box))
    step = (PATCH / seen.scale_x, PATCH / seen.scale_y)
    slack = 1e-6 * (height + width) + 1
    assert back.left <= box.left + slack
    assert back.right >= box.right - slack
    assert box.left - back.left < step[0] + slack
    assert back.bottom - box.bottom < step[1] + slack


def test_a_window_fills_the_input():
    rgb = np.zeros((300, 500, 3), np.uint8)
    rgb[100:212, 200:312] = 255
    window = Box(200, 100, 312, 212)
    pixels = preprocess_window(rgb, window, RECIPES[0])
    assert pixels.shape == (3, 224, 224)
    assert (pixels == 255).all()
    assert (preprocess(rgb, RECIPES[0]) == 0).any()


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("10,20,30,40", Box(10, 20, 40, 60)),
        ("0.5,0.25,0.25,0.5", Box(100, 25, 150, 75)),
        ("0,0,1,1", Box(0, 0, 200, 100)),
        ("-5,90,20,20", Box(0, 90, 15, 100)),
    ],
)
def test_regions_in_pixels_and_fractions(text, box):
    assert Region.parse(text).box(200, 100) == box


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,x", "1,2,3,nan", "1,2,3,4,5"])
def test_regions_that_cannot_be_read(text):
    with pytest.raises(UsageError, match="x,y,w,h"):
        Region.parse(text)
