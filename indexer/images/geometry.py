"""Where the pixels of an image lie in the model's input, and back.

Boxes are half-open (left, top, right, bottom) in float pixels, x to the right and y down,
so a whole image is (0, 0, width, height). All functions are pure.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from indexer.errors import UsageError
from indexer.images.recipe import Recipe, crop_offset, resized_size


class Box(NamedTuple):
    """A half-open rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float


class Cells(NamedTuple):
    """A half-open rectangle of the patch grid: rows [top, bottom), columns [left, right)."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class View:
    """What a model sees of one image: an axis-parallel affine map, image -> model input.

    `model = image * scale - offset` for x and y. `height`, `width` are the model input's
    pixels, `patch` the edge of a patch in them.
    """

    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float
    height: int
    width: int
    patch: int

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.height // self.patch, self.width // self.patch

    @property
    def seen(self) -> Box:
        """The rectangle of the image, in image pixels, that patches cover."""
        rows, columns = self.grid
        return self.to_image(Box(0, 0, columns * self.patch, rows * self.patch))

    def to_model(self, box: Box) -> Box:
        """Image pixels -> model-input pixels; not clipped."""
        return Box(
            box.left * self.scale_x - self.offset_x,
            box.top * self.scale_y - self.offset_y,
            box.right * self.scale_x - self.offset_x,
            box.bottom * self.scale_y - self.offset_y,
        )

    def to_image(self, box: Box) -> Box:
        """Model-input pixels -> image pixels; not clipped."""
        return Box(
            (box.left + self.offset_x) / self.scale_x,
            (box.top + self.offset_y) / self.scale_y,
            (box.right + self.offset_x) / self.scale_x,
            (box.bottom + self.offset_y) / self.scale_y,
        )

    def cells(self, box: Box) -> Cells:
        """The patches that a box in image pixels touches.

        Raises UsageError when the box is empty or lies outside what the model sees.
        """
        if not (box.left < box.right and box.top < box.bottom):
            raise UsageError(
                f"the empty box {tuple(box)}", expected="left < right and top < bottom"
            )
        rows, columns = self.grid
        model = self.to_model(box)
        left, right = _span(model.left, model.right, self.patch, columns)
        top, bottom = _span(model.top, model.bottom, self.patch, rows)
        if left >= right or top >= bottom:
            seen = tuple(round(edge, 1) for edge in self.seen)
            raise UsageError(
                f"the box {tuple(box)} lies outside what the model sees of this image",
                expected=f"a box that meets {seen} (left, top, right, bottom)",
            )
        return Cells(left, top, right, bottom)

    def enclosing(self, cells: Cells) -> Box:
        """The rectangle in image pixels that these patches cover."""
        return self.to_image(Box(*(edge * self.patch for edge in cells)))


def view(recipe: Recipe, *, height: int, width: int, patch: int) -> View:
    """The view of an upright image of `height` x `width` pixels under a recipe."""
    resized = resized_size(height, width, recipe)
    top, left = crop_offset(resized, recipe)
    model_height, model_width = recipe.output_size
    return View(
        scale_x=resized[1] / width,
        scale_y=resized[0] / height,
        offset_x=left,
        offset_y=top,
        height=model_height,
        width=model_width,
        patch=patch,
    )


def _span(low: float, high: float, patch: int, count: int) -> tuple[int, int]:
    """The cells [first, last) of `count` that the open interval (low, high) touches."""
    return max(0, math.floor(low / patch)), min(count, math.ceil(high / patch))
