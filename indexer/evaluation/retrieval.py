"""What each query finds: the figures of one query, before any average."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.calibration.annotations import UNKNOWN, Annotations
from indexer.calibration.comparisons import similarities
from indexer.calibration.crossfit import HeldOut
from indexer.types import Float32, Int64

Float64 = NDArray[np.float64]
DEPTH = 10
TEMPERATURE = 0.07
"""Of the weights of neighbours (Wu et al., 2018; usual for k-NN evaluation of ViTs)."""
MIN_CROSS_SOURCE = 5
"""A family must still have so many gallery images once the query's source is taken away."""
BLOCK = 128


@dataclass(frozen=True, slots=True)
class PerQuery:
    """Arrays over the m queries; NaN where a figure is not about a query.

    `row` in the annotations; for fakes whose family the gallery has: `p_at_1`, `p_at_10`,
    `average_precision`, and `cross_source_p_at_10` without the gallery images of the query's
    own source; for all: `fake_share`, the weight of fakes among the ten nearest labelled images,
    each counting exp(similarity / TEMPERATURE), and `nearest`, the group code of the most
    similar one (`Annotations.group`).
    """

    row: Int64
    p_at_1: Float64
    p_at_10: Float64
    average_precision: Float64
    cross_source_p_at_10: Float64
    fake_share: Float64
    nearest: Int64

    def take(self, mask: NDArray[np.bool_]) -> Self:
        """Some of the queries."""
        return type(self)(*(getattr(self, field.name)[mask] for field in fields(self)))

    @classmethod
    def join(cls, parts: Iterable[Self]) -> Self:
        """The queries of all parts, ordered by row."""
        listed = list(parts)
        order = np.argsort(np.concatenate([part.row for part in listed]), kind="stable")
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in listed])[order]
                for field in fields(cls)
            )
        )


def look_up(view: HeldOut, annotations: Annotations) -> PerQuery:
    """Rank the gallery (all rows that are not held out) for every held-out row.

    Equal similarities are ordered by row. Images without a label take part in no figure;
    without a labelled gallery no query does.
    """
    labelled = annotations.fake != UNKNOWN
    gallery = np.setdiff1d(np.flatnonzero(labelled), view.rows)
    rows = view.rows[labelled[view.rows]] if len(gallery) else np.empty(0, np.int64)
    held = annotations.take(gallery)
    blocks = [rows[start : start + BLOCK] for start in range(0, max(len(rows), 1), BLOCK)]
    return PerQuery.join(
        _look_up(
            block,
            annotations.take(block),
            held,
            similarities(view.descriptors[block], view.descriptors[gallery]),
        )
        for block in blocks
    )


def precision_at(relevant: NDArray[np.bool_], depth: int) -> Float64:
    """(m,) share of relevant among the first `depth` of rankings (m, n)."""
    return np.asarray(relevant[:, :depth].sum(axis=1) / depth)


def average_precision(relevant: NDArray[np.bool_]) -> Float64:
    """(m,) mean precision at the rank of every relevant image of rankings (m, n); NaN for none."""
    found = relevant.cumsum(axis=1)
    at_hits = (found / np.arange(1, relevant.shape[1] + 1) * relevant).sum(axis=1)
    return _where(relevant.sum(axis=1) > 0, at_hits / np.maximum(relevant.sum(axis=1), 1))


def _look_up(rows: Int64, queries: Annotations, held: Annotations, found: Float32) -> PerQuery:
    order = np.argsort(-found, axis=1, kind="stable")
    relevant = (held.family[order] == queries.family[:, None]) & (queries.family[:, None] >= 0)
    askable = relevant.any(axis=1)
    none = np.full(len(rows), np.nan)
    cross = none.copy()
    for number, source in enumerate(queries.source):
        elsewhere = relevant[number, held.source[order[number]] != source]
        if source != UNKNOWN and elsewhere.sum() >= MIN_CROSS_SOURCE:
            cross[number] = elsewhere[:DEPTH].sum() / DEPTH
    return PerQuery(
        row=rows,
        p_at_1=_where(askable, precision_at(relevant, 1)),
        p_at_10=_where(askable, precision_at(relevant, DEPTH)),
        average_precision=average_precision(relevant),
        cross_source_p_at_10=cross,
        fake_share=_fake_share(held.fake[order[:, :DEPTH]] == 1, found, order)
        if len(held)
        else none,
        nearest=held.group[order[:, 0]] if len(held) else rows,
    )


def _fake_share(fake: NDArray[np.bool_], found: Float32, order: Int64) -> Float64:
    similarity = np.take_along_axis(found, order[:, :DEPTH], axis=1).astype(np.float64)
    weight = np.exp(similarity / TEMPERATURE)
    return np.asarray((weight * fake).sum(axis=1) / weight.sum(axis=1))


def _where(mask: NDArray[np.bool_], values: Float64) -> Float64:
    return np.where(mask, values, np.nan)
