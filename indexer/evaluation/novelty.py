"""Would a family that nobody has seen be noticed? Leave one family out and see."""

from collections.abc import Iterable, Iterator

import numpy as np

from indexer.calibration.annotations import Annotations
from indexer.calibration.comparisons import NEIGHBOURS, similarities
from indexer.calibration.crossfit import Describe, HeldOut
from indexer.evaluation.measured import Float64, Measured
from indexer.types import Float32, Int64

MIN_IMAGES = 30


def leave_families_out(
    describe: Describe, annotations: Annotations, queries: Int64
) -> Iterator[tuple[str, HeldOut]]:
    """For each family of 30 or more images, a view of a gallery that has never seen it.

    The projection is fitted without the family and without the `queries` (m,), and all images
    of the family join the queries.
    """
    asked = np.isin(np.arange(len(annotations)), queries)
    for code, name in enumerate(annotations.families):
        novel = annotations.family == code
        if novel.sum() >= MIN_IMAGES:
            held = asked | novel
            yield name, HeldOut(np.flatnonzero(held), describe(~held))


def novelty_auroc(
    views: Iterable[tuple[str, HeldOut]], annotations: Annotations, seed: int
) -> dict[str, Measured]:
    """Left-out family -> AUROC of its images against held-out fakes of the known families."""
    found = {}
    for name, view in views:
        code = annotations.families.index(name)
        gallery = np.setdiff1d(np.flatnonzero(annotations.fake == 1), view.rows)
        known = np.unique(annotations.family[gallery])
        family = annotations.family[view.rows]
        novel, rows = family == code, view.rows
        usual = np.isin(family, known[known >= 0])
        if not usual.any():
            found[name] = Measured(None, None, None, 0)
            continue
        novelty = 1 - closeness(view.descriptors[rows], view.descriptors[gallery])
        found[name] = Measured.auc(novelty[novel], novelty[usual], seed)
    return found


def closeness(queries: Float32, fakes: Float32) -> Float64:
    """(m,) mean similarity of queries (m, dim) to their nearest few of the fakes (n, dim)."""
    found = np.sort(similarities(queries, fakes), axis=1)
    return np.asarray(found[:, -NEIGHBOURS:].mean(axis=1, dtype=np.float64))
