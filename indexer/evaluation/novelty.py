"""Would a family that nobody has seen be noticed? Leave one family out and see."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.calibration.annotations import Annotations, Bool
from indexer.calibration.comparisons import NEIGHBOURS, affinities, compare, similarities
from indexer.calibration.crossfit import Describe, HeldOut, cross_fit
from indexer.calibration.familiarity import familiarity, usual_affinity
from indexer.evaluation.measured import Float64, Measured
from indexer.types import Float32, Int64

MIN_IMAGES = 30
FOLDS = 3
"""Of the cross-fit that tells what is usual; five tell the same."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A gallery that has never seen one family: the `view` of it, whose rows are that family
    and the queries, and the affinity that is `usual` (families,) for the families it has."""

    view: HeldOut
    usual: Float64


@dataclass(frozen=True, slots=True)
class Novelty:
    """AUROC of a left-out family's images against held-out fakes of known families, by
    `familiarity` and, for comparison, by the mean similarity to the `nearest` few fakes.

    `gallery_only` is the latter where the family is left out of the gallery but not of the
    fit: of a family that was seen and removed, which is easier than one that nobody has seen.
    """

    familiarity: Measured
    nearest: Measured
    gallery_only: Measured


def leave_families_out(
    describe: Describe, annotations: Annotations, queries: Int64, seed: int = 0
) -> Iterator[tuple[str, LeftOut]]:
    """For each family of 30 or more images, a gallery that has never seen it.

    The projection is fitted without the family and without the `queries` (m,), and so is the
    usual affinity; all images of the family join the queries.
    """
    asked = np.isin(np.arange(len(annotations)), queries)
    for code, name in enumerate(annotations.families):
        novel = annotations.family == code
        if novel.sum() >= MIN_IMAGES:
            held = asked | novel
            view = HeldOut(np.flatnonzero(held), describe(~held))
            yield name, LeftOut(view, _usual(describe, annotations, ~held, seed))


def novelty_auroc(
    left_out: Iterable[tuple[str, LeftOut]],
    views: Sequence[HeldOut],
    annotations: Annotations,
    seed: int,
) -> dict[str, Novelty]:
    """Left-out family -> how well it is told from the known ones; `views` are those of the
    queries on the whole gallery."""
    return {
        name: _auroc(one, views, annotations, annotations.families.index(name), seed)
        for name, one in left_out
    }


def closeness(queries: Float32, fakes: Float32) -> Float64:
    """(m,) mean similarity of queries (m, dim) to their nearest few of the fakes (n, dim)."""
    found = np.sort(similarities(queries, fakes), axis=1)
    return np.asarray(found[:, -NEIGHBOURS:].mean(axis=1, dtype=np.float64))


def _usual(describe: Describe, annotations: Annotations, gallery: Bool, seed: int) -> Float64:
    rows = np.flatnonzero(gallery)
    held = annotations.take(rows)

    def describe_gallery(fitted: Bool) -> Float32:
        among_all = np.zeros(len(annotations), bool)
        among_all[rows[fitted]] = True
        return describe(among_all)[rows]

    folds = cross_fit(describe_gallery, held.cluster.tolist(), folds=FOLDS, seed=seed)
    return usual_affinity(held, compare(folds, held, seed))


def _auroc(
    one: LeftOut, views: Sequence[HeldOut], annotations: Annotations, code: int, seed: int
) -> Novelty:
    gallery_only = _gallery_only(views, annotations, code, seed)
    rows, descriptors = one.view.rows, one.view.descriptors
    gallery = np.setdiff1d(np.flatnonzero(annotations.fake == 1), rows)
    known = np.unique(annotations.family[gallery])
    family = annotations.family[rows]
    novel, usual = family == code, np.isin(family, known[known >= 0])
    if not usual.any():
        nothing = Measured(None, None, None, 0)
        return Novelty(nothing, nothing, gallery_only)
    similarity = similarities(descriptors[rows], descriptors[gallery])
    affinity = affinities(similarity, annotations.family[gallery], len(annotations.families) + 1)
    familiar = familiarity(affinity, one.usual)
    near = closeness(descriptors[rows], descriptors[gallery])
    return Novelty(
        Measured.auc(-familiar[novel], -familiar[usual], seed),
        Measured.auc(-near[novel], -near[usual], seed),
        gallery_only,
    )


def _gallery_only(
    views: Sequence[HeldOut], annotations: Annotations, code: int, seed: int
) -> Measured:
    novel, usual = [np.empty(0)], [np.empty(0)]
    for view in views:
        others = np.setdiff1d(np.arange(len(annotations)), view.rows)
        fakes = others[(annotations.fake[others] == 1) & (annotations.family[others] != code)]
        if not len(fakes):
            continue
        family, known = annotations.family[view.rows], np.unique(annotations.family[fakes])
        near = closeness(view.descriptors[view.rows], view.descriptors[fakes])
        novel.append(near[family == code])
        usual.append(near[np.isin(family, known[known >= 0])])
    return Measured.auc(-np.concatenate(novel), -np.concatenate(usual), seed)
