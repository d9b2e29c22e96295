"""How much nearer is an image to its own family than to any other?"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.types import Float32, Int64
from indexer.vectors import Neighbours

NEAR: Final = 50
"""Others of an image that are looked at."""
COMPARED: Final = 8
"""Its nearest in its own family and its nearest in others that are compared."""
CLEAR: Final = 0.42
"""The least margin of a member."""


def margin(near: Neighbours, home: Int64) -> Float32:
    """(n,) how much more similar an image is to its COMPARED nearest of the same `home` (n,)
    than to its COMPARED nearest others.

    In standard deviations of the similarities of any two, or, where others are nearer than
    one of these, in parts of the distance to them (as Lowe, 2004, compares distances, not
    differences). Infinite where so few others are near, negatively where none of the own is.
    """
    own = home[near.rows] == home[:, None]
    inside, _ = _nearest(near.similarity, own)
    outside, others = _nearest(near.similarity, ~own)
    scale = np.minimum(near.deviation, 1 - outside)
    with np.errstate(divide="ignore", invalid="ignore"):
        lead = np.where(others < COMPARED, np.inf, (inside - outside) / scale)
    return np.where(own.any(axis=1) & ~np.isnan(lead), lead, -np.inf).astype(np.float32)


def _nearest(similarity: Float32, which: NDArray[np.bool_]) -> tuple[Float32, Int64]:
    """Mean (n,) over the first COMPARED of `which` (n, k) in each row, and how many they are."""
    first = which & (np.cumsum(which, axis=1) <= COMPARED)
    count = first.sum(axis=1)
    total = np.where(first, similarity, 0).sum(axis=1)
    return np.asarray(total / np.maximum(count, 1), np.float32), count
