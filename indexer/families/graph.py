"""The graph that families are found in: how much of their neighbourhood two images share.

Cosines of descriptors are not comparable across a gallery: one generator's outputs lie close
together, another's far apart. The share of common nearest neighbours is free of that scale
(Jarvis and Patrick, 1973; Houle et al., 2010, on why it also withstands high dimensions).
"""

from typing import Final, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from indexer.types import Int64

Graph: TypeAlias = csr_array
"""(n, n) symmetric float64, zero diagonal: Jaccard similarity of the neighbourhoods, in (0, 1]."""

NEIGHBOURS: Final = 12
"""Neighbours per image; fewer find smaller families, more bridge families of varied images."""
EDGES: Final = 1 << 18
"""Edges that are weighed at a time."""


def shared_neighbours(nearest: Int64) -> Graph:
    """The shared-neighbour graph of `nearest` (n, k), each row's nearest others; of NEIGHBOURS.

    Edges join images that are among the k nearest of each other: what lies anywhere has
    nearest neighbours, too, but is hardly ever theirs, so noise gets few edges.
    """
    nearest = nearest[:, :NEIGHBOURS]
    count, k = nearest.shape
    rows = np.repeat(np.arange(count), k)
    near = csr_array((np.ones(len(rows)), (rows, nearest.ravel())), shape=(count, count))
    around = near + csr_array((np.ones(count), (np.arange(count),) * 2), shape=(count, count))
    left, right = near.multiply(near.T).tocoo().coords
    common = np.empty(len(left))
    for start in range(0, len(left), EDGES):
        part = slice(start, start + EDGES)
        common[part] = around[left[part]].multiply(around[right[part]]).sum(axis=1)
    return csr_array((common / (2 * (k + 1) - common), (left, right)), shape=(count, count))
