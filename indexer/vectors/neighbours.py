"""The nearest others of every vector, for graphs."""

from typing import Final

import numpy as np

from indexer.types import Float32, Int64
from indexer.vectors.faiss_index import FaissIndex

FLAT_ROWS: Final = 10_000
"""Up to here every vector is compared with every other."""
PROBES: Final = 32
"""Inverted lists that are looked at of 4 sqrt(n): the cost grows as n to the power 1.5."""


def nearest_others(vectors: Float32, k: int) -> Int64:
    """Rows of the min(k, n - 1) nearest others of each unit vector (n, dim): (n, k) int64.

    Nearest first; exact up to FLAT_ROWS. The same vectors give the same rows.
    """
    count = len(vectors)
    ids = np.arange(count)
    if count <= FLAT_ROWS:
        return FaissIndex.flat(ids, vectors).neighbours(k)
    index = FaissIndex.ivf(ids, vectors, nlist=1 << round(np.log2(4 * np.sqrt(count))))
    index.nprobe = PROBES
    return index.neighbours(k)
