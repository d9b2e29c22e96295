"""A rectangle that a user names, and the patches that belong to it."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from indexer.errors import ImageRejected, UsageError
from indexer.images.geometry import Box, View
from indexer.types import Float32, Int64

COVERED: Final = 0.5
"""A patch belongs to a region that covers at least this share of it."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle: `x`, `y` of its left upper corner, `width`, `height`, in pixels of the
    upright image."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "x,y,w,h". Raises UsageError."""
        try:
            values = [float(part) for part in text.split(",")]
        except ValueError:
            values = []
        if len(values) != 4 or not np.isfinite(values).all():
            raise UsageError(f"the region {text!r}", expected="x,y,w,h in pixels or fractions")
        return cls(*values)

    @classmethod
    def of(cls, box: Box) -> Self:
        """A box as a region, in tenths of a pixel."""
        left, top, right, bottom = (float(edge) for edge in box)
        sides = (left, top, right - left, bottom - top)
        return cls(*(round(side, 1) for side in sides))

    def box(self, width: int, height: int) -> Box:
        """The part of the region that lies in an image of this size, in pixels.

        Four values of at most 1 are fractions of the image. Raises ImageRejected ("outside")
        when less than a pixel of it lies in the image.
        """
        is_fraction = max(self.x, self.y, self.width, self.height) <= 1
        across, down = (width, height) if is_fraction else (1, 1)
        box = Box(
            max(0, self.x * across),
            max(0, self.y * down),
            min(width, (self.x + self.width) * across),
            min(height, (self.y + self.height) * down),
        )
        if box.right - box.left < 1 or box.bottom - box.top < 1:
            raise ImageRejected(
                "outside",
                f"the region {self.x:g},{self.y:g},{self.width:g},{self.height:g}",
                expected=f"x,y,w,h that covers a pixel of the image of {width} x {height} pixels",
            )
        return box


def covered(seen: View, box: Box) -> Int64:
    """Positions of the tokens that belong to a box: those it covers by half, or for a small
    one those it touches."""
    rows, columns = seen.grid
    model = seen.to_model(box)
    down = _overlap(model.top, model.bottom, seen.patch, rows)
    across = _overlap(model.left, model.right, seen.patch, columns)
    share = (down[:, None] * across).ravel()
    threshold = COVERED if (share >= COVERED).any() else np.finfo(np.float32).tiny
    return np.flatnonzero(share >= threshold).astype(np.int64)


def _overlap(low: float, high: float, patch: int, count: int) -> Float32:
    """(count,) the share of each cell along one axis that the interval covers."""
    starts = np.arange(count) * patch
    inside = np.clip(np.minimum(starts + patch, high) - np.maximum(starts, low), 0, None)
    return np.asarray(inside / patch, np.float32)
