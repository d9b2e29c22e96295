"""Image pixels and patch cells: laws over random images, recipes and boxes."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import Base

from indexer.errors import UsageError
from indexer.images import decode
from indexer.images.geometry import Box, Cells, view
from indexer.images.recipe import Recipe, preprocess
from indexer.images.region import covered
from indexer.index.keeping import token_boxes

UNIT = {"mean": (0.0,) * 3, "std": (1.0,) * 3, "rescale": 1.0}
RECIPE = Recipe(440, "bilinear", (384, 384), **UNIT)
PATCH = 16
SMALLEST = 48
edges = st.integers(SMALLEST, 4000)
fractions = st.tuples(*(st.floats(0, 1),) * 4)


@st.composite
def recipes(draw, resample="bilinear"):
    """Every kind: resized by the shorter edge, to an exact size or not at all; cropped or not;
    a crop need not be a multiple of the patch."""
    lengths = st.integers(32, 450)
    resize = draw(st.none() | lengths | st.tuples(lengths, lengths))
    most = {int: (resize, resize), tuple: resize}.get(type(resize), (SMALLEST, SMALLEST))
    crop = tuple(draw(st.integers(min(32, edge), edge)) for edge in most)
    if isinstance(resize, tuple) and draw(st.booleans()):
        crop = None
    return Recipe(resize, resample, crop, **UNIT)


@st.composite
def views(draw):
    recipe, patch = draw(recipes()), draw(st.sampled_from((8, 14, 16, 32)))
    height, width = draw(edges), draw(edges)
    return view(recipe, height=height, width=width, patch=patch), height, width


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
    step_x, step_y = seen.patch / seen.scale_x, seen.patch / seen.scale_y
    for near, far, step in (
        (back.left, clip.left, step_x),
        (back.top, clip.top, step_y),
        (clip.right, back.right, step_x),
        (clip.bottom, back.bottom, step_y),
    ):
        assert near <= far + slack
        assert far - near < step + slack


@given(views(), fractions)
def test_the_tokens_of_a_box_are_those_that_it_covers_by_half(viewed, corners):
    """Each as far as `token_boxes` says, against the intersections themselves; a box that
    covers none by half has those that it touches, which `cells` names."""
    seen, height, width = viewed
    (x0, x1), (y0, y1) = sorted(corners[:2]), sorted(corners[2:])
    box = np.array((x0 * width, y0 * height, x1 * width, y1 * height))
    tokens = token_boxes(seen).astype(np.float64)
    low, high = np.maximum(tokens[:, :2], box[:2]), np.minimum(tokens[:, 2:], box[2:])
    sides = tokens[:, 2:] - tokens[:, :2]
    share = (np.clip(high - low, 0, None) / sides).prod(axis=1)
    found = covered(seen, Box(*box))
    if share.max() > 0.51:
        assert set(np.flatnonzero(share > 0.51)) <= set(found)
        assert (share[found] > 0.49).all()
    elif 0.001 < share.max() < 0.49:
        left, top, right, bottom = seen.cells(Box(*box))
        columns = seen.grid[1]
        touched = {y * columns + x for y in range(top, bottom) for x in range(left, right)}
        assert set(np.flatnonzero(share > 0.001)) <= set(found) <= touched


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
    seen = view(RECIPE, height=880, width=1760, patch=PATCH)
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


SIZES = st.tuples(*(st.integers(SMALLEST, 160),) * 2)
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}
"""Upright pixels -> pixels as a file with this EXIF orientation has them."""


@given(recipes("box"), SIZES, st.sampled_from(sorted(TURNS)), st.data())
@settings(max_examples=150, deadline=None)
def test_a_bright_box_lights_its_patches_whatever_the_orientation(recipe, size, turn, data):
    """The file's pixels are turned; boxes and patches are of the upright image."""
    height, width = size
    left, right = sorted(data.draw(st.tuples(*(st.integers(0, width),) * 2)))
    top, bottom = sorted(data.draw(st.tuples(*(st.integers(0, height),) * 2)))
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[top:bottom, left:right] = 255
    exif = Image.Exif()
    exif[Base.Orientation] = turn
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(TURNS[turn](rgb))).save(file, "PNG", exif=exif)
    image = decode(file.getvalue())
    np.testing.assert_array_equal(image.rgb, rgb)
    facts = image.facts
    assert (facts.height, facts.width, facts.orientation) == (height, width, turn)
    seen = view(recipe, height=facts.height, width=facts.width, patch=PATCH)
    rows, columns = seen.grid
    pixels = preprocess(image.rgb, recipe)[0][: rows * PATCH, : columns * PATCH]
    lit = np.flatnonzero(pixels.reshape(rows, PATCH, columns, PATCH).max(axis=(1, 3)))
    box = Box(left, top, right, bottom)
    if not len(lit):
        return
    cells = seen.cells(box)
    assert set(lit) <= {
        y * columns + x
        for y in range(cells.top, cells.bottom)
        for x in range(cells.left, cells.right)
    }
    tokens = token_boxes(seen)
    whole = (tokens[:, :2] >= (left, top)).all(1) & (tokens[:, 2:] <= (right, bottom)).all(1)
    assert set(np.flatnonzero(whole)) <= set(lit)


def test_boxes_without_a_cell_are_refused():
    seen = view(RECIPE, height=880, width=1760, patch=PATCH)
    with pytest.raises(UsageError, match=r"meets \(496.0, 56.0, 1264.0, 824.0\)"):
        seen.cells(Box(0, 0, 400, 800))
    with pytest.raises(UsageError, match="empty box"):
        seen.cells(Box(600, 100, 600, 200))
