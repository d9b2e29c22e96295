"""Maps as pictures: even colours, each at its place."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from indexer.images.colours import coloured
from indexer.images.heatmap import GAP, LINE, SIDE, Panel, sheet

IMAGE = np.full((60, 120, 3), 128, np.uint8)


def test_lightness_rises_evenly() -> None:
    colours = coloured(np.linspace(0, 1, 64, dtype=np.float32))
    steps = np.diff(rgb2lab(colours[None])[0, :, 0])
    assert steps.min() > 0
    assert steps.max() < 2 * steps.mean()


def test_each_patch_has_its_colour_and_the_rest_is_grey() -> None:
    boxes = np.array([[0, 0, 0.25, 0.5], [0.75, 0.5, 1, 1]], np.float32)
    values = np.array([-1.0, 3.0], np.float32)
    panel = Panel("map", IMAGE, "units", boxes, values, -1.0, 3.0)
    png = sheet("title", [Panel("image", IMAGE), panel], "a note " * 40)
    assert png == sheet("title", [Panel("image", IMAGE), panel], "a note " * 40)
    drawn = Image.open(io.BytesIO(png))
    assert (drawn.format, drawn.width) == ("PNG", 2 * (SIDE + GAP) + GAP)
    pixels = np.asarray(drawn.convert("RGB")).astype(int)
    left, top = GAP + SIDE + GAP, GAP + 2 * LINE + SIDE // 4
    low, high, grey = (
        pixels[top + y, left + x]
        for x, y in ((10, 10), (SIDE - 10, SIDE // 2 - 10), (SIDE // 2, 90))
    )
    assert low == pytest.approx(0.7 * np.array([0, 34, 78]) + 0.3 * 128, abs=1)
    assert high == pytest.approx(0.7 * np.array([254, 232, 56]) + 0.3 * 128, abs=1)
    assert grey.tolist() == [128, 128, 128]


def test_equal_values_and_long_images_are_drawn() -> None:
    boxes, values = np.array([[0, 0, 1, 1]], np.float32), np.array([0.5], np.float32)
    flat = Panel("map", np.zeros((1, 2000, 3), np.uint8), "units", boxes, values, 0.5, 0.5)
    assert Image.open(io.BytesIO(sheet("title", [flat], "a note"))).size[0] == SIDE + 2 * GAP
