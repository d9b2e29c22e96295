"""From the truth to what is derived: fit, describe, index."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.calibration import Calibration, OperatingPoint, cross_fit, fit_calibration
from indexer.descriptor import Projection, fit_projection
from indexer.index.derived import Derived
from indexer.index.engines import VectorEngine
from indexer.store import Store
from indexer.types import Annotation, Float16, Float32, Int64

FIT_LIMIT = 100_000
"""A projection is fitted on at most so many images, spread evenly over the gallery."""
CALIBRATION_LIMIT = 5_000
"""The calibration, which needs a projection per fold, on at most so many."""
UNCOVERED, UNCOVERED_IMAGES = 0.05, 10_000
"""Vectors are derived anew when more than this share of images, or so many, were added or
removed since: the added ones are compared one by one, about 0.4 ms for 10,000."""
CHUNK = 8_192
"""Images whose taps are in memory at once while descriptors are computed."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A projection and how far its similarities can be trusted."""

    projection: Projection
    calibration: Calibration


def fit(store: Store, generation: int) -> Fitted:
    """Fit on the gallery at `generation`; the same gallery gives the same result."""
    ids = spread(store.ids(generation=generation), FIT_LIMIT)
    known = store.columns(ids, generation=generation, said=True)
    projection = fit_projection(store.taps(ids), known.family, known.label, known.source)
    return Fitted(projection, _calibrate(store, generation))


def describe(store: Store, projection: Projection, ids: Int64) -> Float32:
    """(n, dim) descriptors of stored images, in the order of `ids`."""
    out = np.empty((len(ids), projection.dim), np.float32)
    for start in range(0, len(ids), CHUNK):
        part = slice(start, start + CHUNK)
        out[part] = projection.apply(store.taps(ids[part]))
    return out


def derive(store: Store, engine: VectorEngine, fitted: Fitted, *, fit: int, covers: int) -> Derived:
    """Everything that is searched, for the gallery at generation `covers`."""
    ids = store.ids(generation=covers)
    descriptors = describe(store, fitted.projection, ids)
    return searchable(store, engine, fitted, ids, descriptors, fit=fit, covers=covers)


def searchable(
    store: Store,
    engine: VectorEngine,
    fitted: Fitted,
    ids: Int64,
    descriptors: Float32,
    *,
    fit: int,
    covers: int,
) -> Derived:
    """As `derive`, of ascending ids (n,) whose descriptors (n, dim) are known already."""
    vectors, choice = engine.build(ids, descriptors, covers)
    return Derived(
        fit,
        covers,
        store.committed_at(covers),
        ids,
        descriptors,
        vectors,
        choice,
        fitted.projection,
        fitted.calibration,
    )


def spread(ids: Int64, limit: int) -> Int64:
    """At most `limit` of the ids, evenly over them."""
    if len(ids) <= limit:
        return ids
    return ids[np.linspace(0, len(ids) - 1, limit).astype(np.int64)]


def fit_rows(
    taps: Float16, annotations: Sequence[Annotation], rows: NDArray[np.bool_]
) -> Projection:
    """A projection fitted on the True rows (n,) of labelled taps (n, taps, dim)."""
    known = [annotations[int(row)] for row in np.flatnonzero(rows)]
    return fit_projection(
        taps[rows], [a.family for a in known], [a.label for a in known], [a.source for a in known]
    )


def strata(annotations: Sequence[Annotation]) -> list[tuple[str | None, str | None]]:
    """What folds must hold evenly: the family of a fake, the source of a real."""
    return [(a.label, a.family if a.label == "fake" else a.source) for a in annotations]


def _calibrate(store: Store, generation: int) -> Calibration:
    ids = spread(store.ids(generation=generation), CALIBRATION_LIMIT)
    columns = store.columns(ids, generation=generation, said=True)
    taps = store.taps(ids)
    annotations = [
        Annotation(*values)
        for values in zip(columns.label, columns.family, columns.source, strict=True)
    ]
    return fit_calibration(
        cross_fit(lambda rows: fit_rows(taps, annotations, rows).apply(taps), strata(annotations)),
        columns.label,
        columns.family,
        columns.source,
        np.array([np.nan if score is None else score for score in columns.score], np.float32),
        operating_points=[OperatingPoint(**p) for p in store.reference["operating_points"]],
    )
