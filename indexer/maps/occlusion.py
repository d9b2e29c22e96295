"""Attribution by occlusion (Zeiler & Fergus 2014): grey out a part and see what falls."""

import math
from typing import Final

import numpy as np

from indexer.types import Bool, Float32

WINDOWS: Final = 4
"""So many windows side by side would fill the grid; finer ones are no better and cost more
(docs/maps.md)."""


def windows(grid: tuple[int, int]) -> Bool:
    """(n, rows, columns): windows that together cover the grid, each about half over the next; at
    most 64 whatever its size."""
    masks = []
    for top, bottom in _spans(grid[0]):
        for left, right in _spans(grid[1]):
            mask = np.zeros(grid, bool)
            mask[top:bottom, left:right] = True
            masks.append(mask)
    return np.stack(masks)


def attribution(masks: Bool, fall: Float32) -> Float32:
    """(rows, columns): the mean `fall` (n,) of the masks (n, rows, columns) that cover a patch.

    Every patch must be covered.
    """
    total = np.tensordot(fall, masks.astype(np.float32), axes=1)
    return np.asarray(total / masks.sum(axis=0), np.float32)


def _spans(count: int) -> list[tuple[int, int]]:
    edge = math.ceil(count / WINDOWS)
    step = math.ceil(edge / 2)
    starts = [*range(0, count - edge, step), count - edge]
    return [(start, start + edge) for start in starts]
