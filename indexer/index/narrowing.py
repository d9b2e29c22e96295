"""What a filter keeps of a gallery: ids from the truth, or what the vector engine evaluates."""

from typing import Final

import numpy as np

from indexer.filters import Filter, fields
from indexer.index.gallery import Gallery, Narrowed
from indexer.store import Store
from indexer.types import Float32, Int64
from indexer.vectors.milvus_filter import CHANGING, expression
from indexer.vectors.milvus_index import MilvusIndex

WORTH: Final = 20_000
"""Up to so many images the truth evaluates a filter about as fast as Milvus."""
APART: Final = 10_000
"""So many images may be asked for one by one, beside those that the engine filters."""


def narrowed(store: Store, gallery: Gallery, where: Filter) -> Int64 | Narrowed:
    """The ids that `where` keeps, ascending; or, on Milvus, an expression for what it holds.

    A collection knows what was said when it was written. Images of which anything was said
    since are left to the truth, as are those that came since.
    """
    vectors, at = gallery.derived.vectors, gallery.generation
    if not isinstance(vectors, MilvusIndex) or len(vectors) <= WORTH:
        return store.ids(where, at)
    text = expression(where)
    if text is None:
        return store.ids(where, at)
    relabelled = np.empty(0, np.int64)
    if fields(where) & CHANGING:
        relabelled = store.relabelled(gallery.derived.covers, at)
    apart = np.union1d(relabelled, gallery.recent.ids)
    if len(apart) > APART:
        return store.ids(where, at)

    def covered(query: Float32, k: int) -> tuple[Int64, Float32]:
        return vectors.search_where(query, k, text)

    return Narrowed(covered, relabelled, store.ids(where, at, among=apart))
