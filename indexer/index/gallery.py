"""One generation of the gallery, ready to be searched.

The vector index covers an earlier generation; what came after is compared exactly, what was
removed since is left out. Nothing here changes once made: a new generation is a new Gallery.
"""

from collections.abc import Callable
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
class Narrowed:
    """What a filter keeps where the vector engine evaluates it.

    `covered(query, k)` searches the derived set as things were when it was made, which is no
    longer right for the images `relabelled`; `apart` are those of them, and of the recent ones,
    that the filter keeps (ascending ids).
    """

    covered: Callable[[Float32, int], tuple[Int64, Float32]]
    relabelled: Int64
    apart: Int64


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

    def search(
        self, query: Float32, k: int, kept: Int64 | Narrowed | None
    ) -> tuple[Int64, Float32]:
        """The k most similar live images among those `kept` (ascending ids; None: all).

        Ordered by (similarity descending, id ascending); ids (m,) int64, similarities (m,)
        float32 in [-1, 1].
        """
        allowed = kept.apart if isinstance(kept, Narrowed) else kept
        vectors, removed = self.derived.vectors, self.removed
        parts = [
            _without(removed, k, lambda fetch: vectors.search(query, fetch, allowed)),
            self.recent.search(query, k, allowed),
        ]
        if isinstance(kept, Narrowed):
            gone = np.union1d(removed, kept.relabelled)
            parts.append(_without(gone, k, lambda fetch: kept.covered(query, fetch)))
        ids = np.concatenate([part[0] for part in parts])
        similarity = np.concatenate([part[1] for part in parts])
        order = np.lexsort((ids, -similarity))[:k]
        return ids[order], similarity[order]

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


def _without(
    gone: Int64, k: int, search: Callable[[int], tuple[Int64, Float32]]
) -> tuple[Int64, Float32]:
    """Search on until k are left without those that are gone, or everything is found."""
    fetch = k
    while True:
        ids, similarity = search(fetch)
        live = ~located(ids, gone)[1]
        if live.sum() >= k or len(ids) < fetch:
            return ids[live], similarity[live]
        fetch *= 2
