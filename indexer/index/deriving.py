"""From the truth to what is derived: fit a projection, compute descriptors, build vectors."""

import numpy as np

from indexer.descriptor import Projection, fit_projection
from indexer.index.derived import Derived
from indexer.store import Store
from indexer.types import Float32, Int64
from indexer.vectors import build_vectors

FIT_LIMIT = 100_000
"""A projection is fitted on at most so many images, spread evenly over the gallery."""
CHUNK = 8_192
"""Images whose taps are in memory at once while descriptors are computed."""


def fit(store: Store, generation: int) -> Projection:
    """A projection fitted on the gallery at `generation`; the same gallery, the same result."""
    ids = store.ids(generation=generation)
    if len(ids) > FIT_LIMIT:
        ids = ids[np.linspace(0, len(ids) - 1, FIT_LIMIT).astype(np.int64)]
    columns = store.columns(ids, generation=generation)
    return fit_projection(store.taps(ids), columns.family, columns.label, columns.source)


def describe(store: Store, projection: Projection, ids: Int64) -> Float32:
    """(n, dim) descriptors of stored images, in the order of `ids`."""
    out = np.empty((len(ids), projection.dim), np.float32)
    for start in range(0, len(ids), CHUNK):
        part = slice(start, start + CHUNK)
        out[part] = projection.apply(store.taps(ids[part]))
    return out


def derive(store: Store, projection: Projection, *, fit: int, covers: int) -> Derived:
    """Everything that is searched, for the gallery at generation `covers`."""
    ids = store.ids(generation=covers)
    descriptors = describe(store, projection, ids)
    vectors, choice = build_vectors(ids, descriptors)
    return Derived(fit, covers, ids, descriptors, vectors, choice, projection)
