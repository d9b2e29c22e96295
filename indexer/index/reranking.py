"""Re-ranking: the first hits of a search by whole image, ordered by how their patches match.

It brings forward what shows the same, not what was made the same way: docs/regions.md.
"""

from typing import Final

import numpy as np

from indexer.errors import UsageError
from indexer.index.core import Index
from indexer.patches import restored
from indexer.types import Float32, Int64, Patches

RERANKED: Final = 100
"""So many of the first hits are re-ranked, or as many as are asked for."""


def patch_similarity(
    index: Index, query: Patches | int | None, ids: Int64, generation: int
) -> Float32:
    """(m,) mean cosine of the query's patches with the best match of each in m images.

    `query` is what was kept of a new image, or the id of one of the gallery; `ids` (m,) are
    images of the gallery at `generation`, in any order. Raises UsageError where the query or
    one of the images keeps no patches, as after a merge with an index that keeps none.
    """
    gallery = index.patches(generation)
    kept = index.store.patches([query]).get(query) if isinstance(query, int) else query
    if kept is None:
        raise UsageError("a query without patches", do="encode it with its patches to re-rank")
    bare = np.setdiff1d(ids, gallery.live)
    if len(bare):
        raise UsageError(
            f"{len(bare)} of the first {len(ids)} hits keep no patches",
            do="search without re-ranking, or build an index of all images with --patches 32",
        )
    order = np.argsort(ids)
    found = np.empty(len(ids), np.float32)
    tokens = gallery.patches.projection.apply(restored(kept))
    found[order] = gallery.compare(tokens, ids[order]).match.max_sim
    return found
