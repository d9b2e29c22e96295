"""Parts of an image at a magnification of their own: tiles, and the surroundings of a box."""

import math
from dataclasses import replace
from typing import Final

from indexer.images.geometry import Box, View
from indexer.images.recipe import Recipe, preprocess
from indexer.types import RGB, Float32

CONTEXTS: Final = (2.0, 4.0)
"""A box is seen with so many times its own edge: it is half of one view, a quarter of the other,
since its copies may be larger or smaller than itself."""
MAGNIFY: Final = 2.0
"""A window is never enlarged by more: there is nothing more to see in blurred pixels."""
LONGEST: Final = 12
"""Tiles cover images up to so many times as long as wide, of longer ones the middle."""


def tiles(height: int, width: int, recipe: Recipe) -> list[Box]:
    """Windows that together cover the whole image, at up to twice the magnification of the
    centre crop; none is smaller than the model's input unless the image is."""
    rows, columns = recipe.output_size
    unit = min(height / rows, width / columns)
    unit = max(unit / 2, min(unit, 1.0))
    return [
        Box(left, top, left + round(unit * columns), top + round(unit * rows))
        for top in _starts(height, round(unit * rows), width)
        for left in _starts(width, round(unit * columns), height)
    ]


def surroundings(box: Box, height: int, width: int, recipe: Recipe) -> list[Box]:
    """The windows of CONTEXTS times the box, in the model input's shape, moved into the image
    (and cut where the image is smaller). One, where that makes them the same."""
    windows = (_around(box, context, height, width, recipe) for context in CONTEXTS)
    return list(dict.fromkeys(windows))


def window_view(window: Box, recipe: Recipe, patch: int) -> View:
    """What the model sees of a window that fills its whole input."""
    height, width = recipe.output_size
    scale_x = width / (window.right - window.left)
    scale_y = height / (window.bottom - window.top)
    return View(scale_x, scale_y, window.left * scale_x, window.top * scale_y, height, width, patch)


def preprocess_window(rgb: RGB, window: Box, recipe: Recipe) -> Float32:
    """The model's input, (3, height, width), for a window (whole pixels) of an image."""
    left, top, right, bottom = (int(edge) for edge in window)
    filling = replace(recipe, resize=recipe.output_size, crop=None)
    return preprocess(rgb[top:bottom, left:right], filling)


def _around(box: Box, context: float, height: int, width: int, recipe: Recipe) -> Box:
    rows, columns = recipe.output_size
    unit = context * max((box.right - box.left) / columns, (box.bottom - box.top) / rows)
    unit = max(unit, 1 / MAGNIFY)
    wide, high = min(width, round(unit * columns)), min(height, round(unit * rows))
    left = min(max(0, round((box.left + box.right - wide) / 2)), width - wide)
    top = min(max(0, round((box.top + box.bottom - high) / 2)), height - high)
    return Box(left, top, left + wide, top + high)


def _starts(length: int, edge: int, other: int) -> list[int]:
    """Evenly spaced starts of windows of `edge` that cover `length`."""
    covered = min(length, LONGEST * other)
    count = max(1, math.ceil(covered / edge))
    first = (length - covered) // 2
    return [first + round(i * (covered - edge) / max(1, count - 1)) for i in range(count)]
