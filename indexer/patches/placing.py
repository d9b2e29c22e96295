"""Where a region lies in another image: a vote of its matches for one scale and place.

A generalised Hough transform (Ballard 1981) over scale and translation, as SIFT matching uses
it (Lowe 2004), with every match's own translation as a bin.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.types import Float32

SCALES: Final = (2.0 ** (np.arange(-6, 4) / 4)).astype(np.float32)
"""Magnifications tried, relative to one patch on one patch: 0.35 to 1.7. A query's region is
seen enlarged, so that its copies span fewer patches more often than more."""
VOTERS: Final = 24
"""The weightiest matches of each image vote; the rest would only cost."""
SLACK: Final = 0.5
"""Votes agree within this and the magnification, in patches: both ends are that coarse."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Best placement of a region in each of c images.

    `agreement` (c,) in [0, 1] is the weight of the votes that agree on it, over their number;
    a point p of the query lies at `scale` (c,) * p + `shift` (c, 2).
    """

    agreement: Float32
    scale: Float32
    shift: Float32

    def box(self, image: int, box: Float32) -> Float32:
        """A box (4,) of the query in an image of number `image`; not clipped."""
        shift = np.concatenate([self.shift[image]] * 2)
        return np.asarray(self.scale[image] * box + shift, np.float32)


def place(here: Float32, there: Float32, weight: Float32) -> Placement:
    """Vote for each image.

    `here` (q, 4) are the boxes of the region's tokens, `there` (c, q, 4) those of their best
    matches in c images, in pixels of each; `weight` (c, q) in [0, 1].
    """
    edge_here, edges = np.median(_edges(here)), np.median(_edges(there), axis=1)
    here, there = centres(here), centres(there)
    if len(here) > VOTERS:
        voters = np.argpartition(-weight, VOTERS, axis=1)[:, :VOTERS]
        weight = np.take_along_axis(weight, voters, axis=1)
        there = np.take_along_axis(there, voters[:, :, None], axis=1)
        points = here[voters]
    else:
        points = np.broadcast_to(here, there.shape)
    count = len(there)
    agreement = np.full(count, -1, np.float32)
    scale, shift = np.ones(count, np.float32), np.zeros((count, 2), np.float32)
    for relative in SCALES:
        factor = relative * edges / edge_here
        offsets = there - factor[:, None, None] * points
        near = _near(offsets / ((relative + SLACK) * edges)[:, None, None])
        votes = np.einsum("cij,cj->ci", near, weight)
        winner = votes.argmax(axis=1)
        won = votes[np.arange(count), winner]
        share = near[np.arange(count), winner] * weight
        mean = (share[:, :, None] * offsets).sum(1) / np.maximum(share.sum(1), 1e-9)[:, None]
        better = won > agreement
        agreement[better], scale[better] = won[better], factor[better]
        shift[better] = mean[better]
    return Placement(np.clip(agreement / weight.shape[1], 0, 1), scale, shift)


def centres(boxes: Float32) -> Float32:
    """(..., 2) x and y of the centres of boxes (..., 4)."""
    return np.asarray((boxes[..., :2] + boxes[..., 2:]) / 2, np.float32)


def _edges(boxes: Float32) -> Float32:
    """(...) the edge of each patch: the geometric mean of its sides."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return np.asarray(np.sqrt(sides.prod(axis=-1)), np.float32)


def _near(points: Float32) -> Float32:
    """(c, v, v) how near each two of v points (c, v, 2) are: 1 in the same place, 0 from a
    distance of 1 along either axis."""
    across, down = np.moveaxis(points, 2, 0)
    apart: Float32 = np.abs(across[:, :, None] - across[:, None])
    np.maximum(apart, np.abs(down[:, :, None] - down[:, None]), out=apart)
    np.subtract(1, apart, out=apart)
    return np.maximum(apart, 0, out=apart)
