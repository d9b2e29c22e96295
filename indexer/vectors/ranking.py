"""What every vector index shares: what it accepts, how it compares, how it orders."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.errors import UsageError
from indexer.types import Float32, Int64

UNIT: Final = 1e-3
"""How far a norm may be from 1."""
CHUNK: Final = 65_536
"""Rows read at once from an array that may lie on disk."""


def checked_gallery(ids: Int64, vectors: Float32) -> None:
    """Raises UsageError unless ids are ascending and unique and vectors are unit vectors."""
    if vectors.ndim != 2 or ids.shape != (len(vectors),):
        raise UsageError(f"ids {ids.shape}, vectors {vectors.shape}", expected="(n,) and (n, dim)")
    if ids.dtype != np.int64 or vectors.dtype != np.float32:
        raise UsageError(f"ids {ids.dtype}, vectors {vectors.dtype}", expected="int64, float32")
    if not (np.diff(ids) > 0).all():
        raise UsageError("ids that repeat or are out of order", expected="ascending, unique ids")
    for start in range(0, len(vectors), CHUNK):
        norms = np.linalg.norm(vectors[start : start + CHUNK], axis=1)
        wrong = np.flatnonzero(~(np.abs(norms - 1) <= UNIT))  # NaN is wrong, too
        if len(wrong):
            raise UsageError(
                f"the vector of id {ids[start + wrong[0]]} has norm {norms[wrong[0]]:.4g}",
                expected="finite vectors of norm 1",
            )


def checked_query(query: Float32, dim: int, k: int) -> None:
    """Raises UsageError unless `query` is one unit vector of width `dim` and k >= 1."""
    if k < 1:
        raise UsageError(f"k = {k}", expected="at least 1")
    if query.shape != (dim,) or query.dtype != np.float32:
        raise UsageError(
            f"a query of shape {query.shape} {query.dtype}", expected=f"({dim},) float32"
        )
    norm = float(np.linalg.norm(query))
    if not abs(norm - 1) <= UNIT:
        raise UsageError(f"a query of norm {norm:.4g}", expected="a finite vector of norm 1")


def located(ids: Int64, among: Int64) -> tuple[Int64, NDArray[np.bool_]]:
    """For each of `ids` its position in the ascending `among` (m,), and whether it is there."""
    positions = np.searchsorted(among, ids)
    there = positions < len(among)
    there[there] = among[positions[there]] == ids[there]
    return positions.astype(np.int64), there


def positions_of(allowed: Int64, ids: Int64) -> Int64:
    """Where the `allowed` ids stand in the ascending `ids`; absent ones are left out."""
    positions, there = located(allowed, ids)
    return positions[there]


def similarities(vectors: Float32, query: Float32, positions: Int64 | None = None) -> Float32:
    """Cosine of `query` with every row, or with the rows at `positions`: (m,) in [-1, 1].

    The one place where similarities are made and clamped. vecdot sums each row by itself, so
    that equal vectors get equal similarities wherever they stand; a matrix product does not,
    and starts threads that spin for longer than this takes.
    """
    count = len(vectors) if positions is None else len(positions)
    result = np.empty(count, dtype=np.float32)
    for start in range(0, count, CHUNK):
        here = slice(start, start + CHUNK)
        rows = vectors[here] if positions is None else vectors[positions[here]]
        np.vecdot(rows, query, out=result[here])
    return np.clip(result, -1, 1)


def ranked(ids: Int64, similarity: Float32, k: int) -> tuple[Int64, Float32]:
    """The min(k, n) best, ordered by (similarity descending, id ascending)."""
    if len(ids) > k:
        kth = np.partition(similarity, len(ids) - k)[len(ids) - k]
        kept = similarity >= kth  # all that tie with the last one, so that ids decide
        ids, similarity = ids[kept], similarity[kept]
    order = np.lexsort((ids, -similarity))[:k]
    return ids[order], similarity[order]
