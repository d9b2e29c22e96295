"""From the truth to what is derived: fit, describe, index."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.calibration import Calibration, OperatingPoint, cross_fit, fit_calibration
from indexer.descriptor import Projection, fit_projection
from indexer.index.derived import Derived
from indexer.store import Columns, Store
from indexer.types import Float16, Float32, Int64
from indexer.vectors import build_vectors

FIT_LIMIT = 100_000
"""A projection is fitted on at most so many images, spread evenly over the gallery."""
CALIBRATION_LIMIT = 5_000
"""The calibration, which needs a projection per fold, on at most so many."""
CHUNK = 8_192
"""Images whose taps are in memory at once while descriptors are computed."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A projection and how far its similarities can be trusted."""

    projection: Projection
    calibration: Calibration


def fit(store: Store, generation: int) -> Fitted:
    """Fit on the gallery at `generation`; the same gallery gives the same result."""
    return Fitted(_fit_projection(store, generation), _calibrate(store, generation))


def describe(store: Store, projection: Projection, ids: Int64) -> Float32:
    """(n, dim) descriptors of stored images, in the order of `ids`."""
    out = np.empty((len(ids), projection.dim), np.float32)
    for start in range(0, len(ids), CHUNK):
        part = slice(start, start + CHUNK)
        out[part] = projection.apply(store.taps(ids[part]))
    return out


def derive(store: Store, fitted: Fitted, *, fit: int, covers: int) -> Derived:
    """Everything that is searched, for the gallery at generation `covers`."""
    ids = store.ids(generation=covers)
    descriptors = describe(store, fitted.projection, ids)
    vectors, choice = build_vectors(ids, descriptors)
    return Derived(
        fit, covers, ids, descriptors, vectors, choice, fitted.projection, fitted.calibration
    )


def spread(ids: Int64, limit: int) -> Int64:
    """At most `limit` of the ids, evenly over them."""
    if len(ids) <= limit:
        return ids
    return ids[np.linspace(0, len(ids) - 1, limit).astype(np.int64)]


def _fit_projection(store: Store, generation: int) -> Projection:
    ids = spread(store.ids(generation=generation), FIT_LIMIT)
    return _fit_rows(store.taps(ids), store.columns(ids, generation=generation), slice(None))


def _calibrate(store: Store, generation: int) -> Calibration:
    ids = spread(store.ids(generation=generation), CALIBRATION_LIMIT)
    columns, taps = store.columns(ids, generation=generation), store.taps(ids)

    def describe_without(rows: NDArray[np.bool_]) -> Float32:
        return _fit_rows(taps, columns, np.flatnonzero(rows)).apply(taps)

    strata = [
        (label, family if label == "fake" else source)
        for label, family, source in zip(columns.label, columns.family, columns.source, strict=True)
    ]
    points = store.reference.get("operating_points", [])
    return fit_calibration(
        cross_fit(describe_without, strata),
        columns.label,
        columns.family,
        columns.source,
        np.array([np.nan if score is None else score for score in columns.score], np.float32),
        operating_points=[OperatingPoint(**point) for point in points],
    )


def _fit_rows(taps: Float16, columns: Columns, rows: Int64 | slice) -> Projection:
    def of(values: Sequence[str | None]) -> Sequence[str | None]:
        return values[rows] if isinstance(rows, slice) else [values[row] for row in rows]

    return fit_projection(taps[rows], of(columns.family), of(columns.label), of(columns.source))
