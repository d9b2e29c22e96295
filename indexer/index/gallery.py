"""One generation of the gallery, ready to be searched.

The vector index covers an earlier generation; what came after is compared exactly, what was
removed since is left out. Nothing here changes once made: a new generation is a new Gallery.
"""

from dataclasses import dataclass

import numpy as np

from indexer.calibration import Annotations, Verdict
from indexer.index.derived import Derived
from indexer.types import Float32, Int64
from indexer.vectors import ExactIndex

OVERFETCH = 256
"""Up to so many removed images are searched for and dropped; above, the search is filtered."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """`recent` holds the images added after `derived.covers`; `removed` (ascending ids) those
    of `derived` that are gone at `generation`. Verdicts compare a query with `reference`
    (ascending ids, a spread sample of a large gallery) and its `annotations`."""

    generation: int
    derived: Derived
    recent: ExactIndex
    removed: Int64
    reference: Int64
    annotations: Annotations

    def __len__(self) -> int:
        return len(self.derived.ids) - len(self.removed) + len(self.recent)

    def search(self, query: Float32, k: int, allowed: Int64 | None) -> tuple[Int64, Float32]:
        """The k most similar live images among `allowed` (ascending ids; None: all).

        Ordered by (similarity descending, id ascending); ids (m,) int64, similarities (m,)
        float32 in [-1, 1].
        """
        if allowed is None and len(self.removed) > OVERFETCH:
            allowed = np.union1d(
                np.setdiff1d(self.derived.ids, self.removed, assume_unique=True), self.recent.ids
            )
        extra = 0 if allowed is not None else len(self.removed)
        ids, similarities = self.derived.vectors.search(query, k + extra, allowed)
        kept = ~np.isin(ids, self.removed)
        new_ids, new_similarities = self.recent.search(query, k, allowed)
        ids = np.concatenate([ids[kept], new_ids])
        similarities = np.concatenate([similarities[kept], new_similarities])
        order = np.lexsort((ids, -similarities))[:k]
        return ids[order], similarities[order]

    def descriptors(self, ids: Int64) -> Float32:
        """(m, dim) descriptors of live images, in the order of `ids`."""
        rows = np.searchsorted(self.derived.ids, ids)
        rows[rows == len(self.derived.ids)] = 0
        covered = (
            self.derived.ids[rows] == ids if len(self.derived.ids) else np.zeros(len(ids), bool)
        )
        out = np.empty((len(ids), self.derived.descriptors.shape[1]), np.float32)
        out[covered] = self.derived.descriptors[rows[covered]]
        recent = np.searchsorted(self.recent.ids, ids[~covered])
        out[~covered] = self.recent.vectors[recent]
        return out

    def judge(
        self, query: Float32, score: float | None, *, risk: float, without: int | None = None
    ) -> Verdict:
        """The verdict on a query (dim,) with the checkpoint's `score`, at the operator's `risk`.

        `without` is the id of the query's own image in the gallery, which must not speak.
        """
        rows = np.flatnonzero(self.reference != without)
        similarities = self.descriptors(self.reference[rows]) @ query
        return self.derived.calibration.verdict(
            similarities, self.annotations.take(rows), score, risk=risk
        )
