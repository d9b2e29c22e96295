"""The graph that families are found in: how much of their neighbourhood two images share.

Cosines of descriptors are not comparable across a gallery: one generator's outputs lie close
together, another's far apart. The share of common nearest neighbours is free of that scale
(Jarvis and Patrick, 1973; Houle et al., 2010, on why it also withstands high dimensions).
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.cluster import KMeans

from indexer.types import Float32, Int64

Graph: TypeAlias = csr_array
"""(n, n) symmetric float64, zero diagonal: Jaccard similarity of the neighbourhoods, in (0, 1]."""

K: Final = 15
"""Neighbours per image."""
EXACT: Final = 8192
"""Up to here every image is compared with every other."""
PROBES: Final = 24
"""Cells that are looked at for each cell, itself included."""
SAMPLE: Final = 20_000
"""Images that the cells' centres are fitted to."""
ROWS: Final = 1024


def shared_neighbours(descriptors: Float32, *, k: int = K, seed: int = 0) -> Graph:
    """The shared-neighbour graph of unit vectors (n, dim).

    Edges join images that are among the k nearest of each other: what lies anywhere has
    nearest neighbours, too, but is hardly ever theirs, so noise gets few edges.
    """
    count = len(descriptors)
    nearest = neighbours(descriptors, k, seed=seed)
    rows = np.repeat(np.arange(count), nearest.shape[1])
    ones = np.ones(len(rows))
    near = csr_array((ones, (rows, nearest.ravel())), shape=(count, count))
    around = near + csr_array((np.ones(count), (np.arange(count),) * 2), shape=(count, count))
    edges = near.multiply(near.T).tocoo()
    left, right = edges.coords
    common = np.empty(len(left))
    for start in range(0, len(left), 1 << 18):
        part = slice(start, start + (1 << 18))
        common[part] = around[left[part]].multiply(around[right[part]]).sum(axis=1)
    jaccard = common / (2 * (nearest.shape[1] + 1) - common)
    kept = common > 0
    return csr_array((jaccard[kept], (left[kept], right[kept])), shape=(count, count))


def neighbours(descriptors: Float32, k: int, *, seed: int = 0) -> Int64:
    """The min(k, n - 1) nearest others of each row by cosine: (n, k) int64, in no order.

    Exact up to EXACT rows. Beyond, rows are compared within the PROBES nearest of sqrt(n)
    k-means cells, so the cost grows as n^1.5 (an inverted file, as in Jegou et al., 2011).
    """
    count = len(descriptors)
    k = min(k, count - 1)
    if k < 1:
        return np.empty((count, 0), dtype=np.int64)
    everything = np.arange(count)
    if count <= EXACT:
        return _nearest(descriptors, everything, everything, k)
    centres, cell = _cells(descriptors, seed)
    members = np.split(np.argsort(cell, kind="stable"), np.cumsum(np.bincount(cell))[:-1])
    close = np.argsort(-(centres @ centres.T), axis=1, kind="stable")[:, :PROBES]
    found = np.empty((count, k), dtype=np.int64)
    for own, probed in zip(members, close, strict=True):
        candidates = np.concatenate([own, *(members[other] for other in probed)])
        candidates = np.unique(candidates)
        if len(candidates) <= k:
            candidates = everything
        found[own] = _nearest(descriptors, own, candidates, k)
    return found


def _cells(descriptors: Float32, seed: int) -> tuple[Float32, Int64]:
    """Unit centres (cells, dim) and the cell of each row; no cell is empty."""
    count = len(descriptors)
    rng = np.random.default_rng(seed)
    sample = descriptors[np.sort(rng.choice(count, min(count, SAMPLE), replace=False))]
    fitted = KMeans(round(count**0.5), init="random", n_init=1, max_iter=10, random_state=seed)
    centres = fitted.fit(sample).cluster_centers_
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    cell = np.concatenate(
        [
            (descriptors[start : start + ROWS] @ centres.T).argmax(axis=1)
            for start in range(0, count, ROWS)
        ]
    )
    used, cell = np.unique(cell, return_inverse=True)
    return centres[used], cell


def _nearest(descriptors: Float32, rows: Int64, candidates: Int64, k: int) -> Int64:
    """The k nearest candidates of each row, the row itself left out; candidates ascend."""
    found = np.empty((len(rows), k), dtype=np.int64)
    others = descriptors[candidates].T
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        similarity: NDArray[Any] = descriptors[part] @ others
        similarity[np.arange(len(part)), np.searchsorted(candidates, part)] = -np.inf
        best = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        found[start : start + len(part)] = candidates[best]
    return found
