"""One generation of the gallery, ready to be searched.

The vector index covers an earlier generation; what came after is compared exactly, what was
removed since is left out. Nothing here changes once made: a new generation is a new Gallery.
"""

from dataclasses import dataclass

import numpy as np

from indexer.calibration import SILENT, Annotations, Verdict
from indexer.errors import NotFound
from indexer.index.derived import Derived
from indexer.types import Float32, Int64
from indexer.vectors import ExactIndex, located, similarities

Known = tuple[str | None, str | None, str | None]
"""The label, family and source of an image."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The images that verdicts compare a query with, a spread sample of a large gallery:
    ascending `ids` (r,), their descriptors `vectors` (r, dim), the label, family and source
    `known` of each, and those as codes, `annotations`."""

    ids: Int64
    vectors: Float32
    known: list[Known]
    annotations: Annotations


@dataclass(frozen=True, slots=True)
class Gallery:
    """`recent` holds the images added after `derived.covers`; `removed` (ascending ids) those
    of `derived` that are gone at `generation`."""

    generation: int
    derived: Derived
    recent: ExactIndex
    removed: Int64
    reference: Reference

    def __len__(self) -> int:
        return len(self.derived.ids) - len(self.removed) + len(self.recent)

    def search(self, query: Float32, k: int, allowed: Int64 | None) -> tuple[Int64, Float32]:
        """The k most similar live images among `allowed` (ascending ids; None: all).

        Ordered by (similarity descending, id ascending); ids (m,) int64, similarities (m,)
        float32 in [-1, 1].
        """
        covered, recent = self._covered(query, k, allowed), self.recent.search(query, k, allowed)
        ids = np.concatenate([covered[0], recent[0]])
        similarity = np.concatenate([covered[1], recent[1]])
        order = np.lexsort((ids, -similarity))[:k]
        return ids[order], similarity[order]

    def _covered(self, query: Float32, k: int, allowed: Int64 | None) -> tuple[Int64, Float32]:
        """Search on until k are left without the removed ones, or everything is found."""
        fetch = k
        while True:
            ids, similarity = self.derived.vectors.search(query, fetch, allowed)
            live = ~located(ids, self.removed)[1]
            if live.sum() >= k or len(ids) < fetch:
                return ids[live], similarity[live]
            fetch *= 2

    def descriptors(self, ids: Int64) -> Float32:
        """(m, dim) descriptors of images of this gallery, in the order of `ids`.

        Raises NotFound for an image that it does not hold.
        """
        rows, covered = located(ids, self.derived.ids)
        out = np.empty((len(ids), self.derived.descriptors.shape[1]), np.float32)
        out[covered] = self.derived.descriptors[rows[covered]]
        recent, there = located(ids[~covered], self.recent.ids)
        if not there.all() or located(ids, self.removed)[1].any():
            raise NotFound(f"an image that is not in generation {self.generation}")
        out[~covered] = self.recent.vectors[recent]
        return out

    def judge(
        self, query: Float32, score: float | None, *, risk: float, without: int | None = None
    ) -> Verdict:
        """The verdict on a query (dim,) with the checkpoint's `score`, at the operator's `risk`.

        `without` is the id of the query's own image in the gallery, which must not speak.
        """
        compared = similarities(self.reference.vectors, query)
        compared[self.reference.ids == without] = SILENT
        return self.derived.calibration.verdict(
            compared, self.reference.annotations, score, risk=risk
        )
