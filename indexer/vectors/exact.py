"""Nearest by comparing with everything: the oracle of every other vector index."""

from indexer.types import Float32, Int64
from indexer.vectors.ranking import (
    checked_gallery,
    checked_query,
    positions_of,
    ranked,
    similarities,
)


class ExactIndex:
    """A `VectorIndex` over ascending, unique ids (n,) and unit vectors (n, dim) float32.

    Raises UsageError on anything else. The array is kept, not copied; it may be a memmap.
    """

    def __init__(self, ids: Int64, vectors: Float32) -> None:
        checked_gallery(ids, vectors)
        self.ids, self.vectors = ids, vectors

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, query: Float32, k: int, allowed: Int64 | None = None) -> tuple[Int64, Float32]:
        """See `indexer.types.VectorIndex`."""
        checked_query(query, self.vectors.shape[1], k)
        if allowed is None:
            return ranked(self.ids, similarities(self.vectors, query), k)
        positions = positions_of(allowed, self.ids)
        return ranked(self.ids[positions], similarities(self.vectors, query, positions), k)
