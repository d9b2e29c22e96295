"""The nearest others of every vector, for graphs."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.types import Float32, Int64
from indexer.vectors.faiss_index import FaissIndex
from indexer.vectors.ranking import similarities

FLAT_ROWS: Final = 10_000
"""Up to here every vector is compared with every other."""
PROBES: Final = 32
"""Inverted lists that are looked at of 4 sqrt(n): the cost grows as n to the power 1.5."""
SAMPLE: Final = 1_000
"""Vectors, spread evenly, whose pairs say how similarities vary."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Each vector's nearest others: `rows` (n, k) int64, nearest first, and their `similarity`
    (n, k) float32; `deviation` is the standard deviation of the similarities of any two."""

    rows: Int64
    similarity: Float32
    deviation: float


def nearest_others(vectors: Float32, k: int) -> Neighbours:
    """The min(k, n - 1) nearest others of each unit vector (n, dim).

    Exact up to FLAT_ROWS. The same vectors give the same result.
    """
    count = len(vectors)
    rows = _rows(vectors, k)
    similarity = np.empty(rows.shape, np.float32)
    for row in range(count):
        similarity[row] = similarities(vectors, vectors[row], rows[row])
    return Neighbours(rows, similarity, _deviation(vectors))


def _rows(vectors: Float32, k: int) -> Int64:
    count = len(vectors)
    ids = np.arange(count)
    if count <= FLAT_ROWS:
        return FaissIndex.flat(ids, vectors).neighbours(k)
    index = FaissIndex.ivf(ids, vectors, nlist=1 << round(np.log2(4 * np.sqrt(count))))
    index.nprobe = PROBES
    return index.neighbours(k)


def _deviation(vectors: Float32) -> float:
    count = len(vectors)
    sample = vectors[np.linspace(0, max(0, count - 1), min(count, SAMPLE)).astype(np.int64)]
    pairs = (sample @ sample.T)[np.triu_indices(len(sample), 1)]
    return float(pairs.std()) if len(pairs) else 0.0
