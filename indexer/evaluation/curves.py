"""The data of the plots: confusion of families, precision over recall, reliability."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from indexer.calibration.annotations import Annotations, Relations
from indexer.calibration.calibration import Calibration
from indexer.calibration.comparisons import Comparisons
from indexer.calibration.estimate import Missing
from indexer.evaluation.retrieval import PerQuery
from indexer.evaluation.trust import log10_ratios
from indexer.types import Float32

Bool = NDArray[np.bool_]
BINS = 10
POINTS = 200


@dataclass(frozen=True, slots=True)
class Reliability:
    """Per bin of stated probability: the mean stated, the share that came true at even priors,
    and the number it was seen on."""

    stated: tuple[float, ...]
    observed: tuple[float, ...]
    n: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Recall and precision at falling similarity."""

    recall: tuple[float, ...]
    precision: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """`confusion` (true, nearest) counts of the groups `names`, the last being the reals;
    precision over recall of "same family" over pairs, all and of different sources;
    reliability of the likelihood ratio and of the score, None where there is none."""

    names: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    precision_recall: dict[str, Curve]
    ratio: Reliability | None
    score: Reliability | None


def draw_curves(
    queries: PerQuery,
    found: Comparisons,
    relations: Relations,
    annotations: Annotations,
    calibration: Calibration,
    scores: Float32 | None,
) -> Curves:
    """Count what the plots show; `scores` (n,) p(fake) of all annotated images."""
    names = (*annotations.families, "real")
    truth = annotations.group[queries.row]
    confusion = np.zeros((len(names), len(names)), int)
    seen = (truth >= 0) & (queries.nearest >= 0)
    np.add.at(confusion, (truth[seen], queries.nearest[seen]), 1)
    used = relations.same | relations.different
    kinds = {"all pairs": used, "different sources": used & relations.cross_source}
    return Curves(
        names=names,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        precision_recall={
            kind: _precision_recall(relations.same[pairs], found.similarity[pairs])
            for kind, pairs in kinds.items()
            if relations.same[pairs].any() and not relations.same[pairs].all()
        },
        ratio=_ratio_reliability(calibration, found, relations.same, used),
        score=_score_reliability(calibration, annotations, queries, scores),
    )


def _ratio_reliability(
    calibration: Calibration, found: Comparisons, same: Bool, used: Bool
) -> Reliability | None:
    if isinstance(calibration.likelihood, Missing) or not same.any() or same[used].all():
        return None
    ratio = 10 ** log10_ratios(calibration.likelihood, found)[used]
    return reliability(ratio / (1 + ratio), same[used])


def _score_reliability(
    calibration: Calibration, annotations: Annotations, queries: PerQuery, scores: Float32 | None
) -> Reliability | None:
    if scores is None:
        return None
    rows = queries.row[np.isfinite(scores[queries.row])]
    stated = [calibration.probability_fake(float(score)) for score in scores[rows]]
    usable = [p for p in stated if not isinstance(p, Missing)]
    fake = annotations.fake[rows] == 1
    if not usable or fake.all() or not fake.any():
        return None
    return reliability(np.array(usable), fake)


def reliability(stated: NDArray[np.float64], came_true: Bool) -> Reliability:
    """Bin stated probabilities (n,); both outcomes weigh the same in total (even priors)."""
    level = np.minimum((stated * BINS).astype(int), BINS - 1)
    weight = np.where(came_true, 0.5 / came_true.sum(), 0.5 / (~came_true).sum())
    total = np.bincount(level, weight, minlength=BINS)
    kept = total > 0
    return Reliability(
        stated=tuple(
            (np.bincount(level, weight * stated, minlength=BINS)[kept] / total[kept]).tolist()
        ),
        observed=tuple(
            (np.bincount(level, weight * came_true, minlength=BINS)[kept] / total[kept]).tolist()
        ),
        n=tuple(np.bincount(level, minlength=BINS)[kept].tolist()),
    )


def _precision_recall(same: Bool, similarity: Float32) -> Curve:
    precision, recall, _ = precision_recall_curve(same, similarity)
    at = np.unique(np.linspace(0, len(recall) - 1, POINTS).astype(int))
    even = np.unique(np.searchsorted(-recall, -np.linspace(1, 0, POINTS)).clip(0, len(recall) - 1))
    at = np.union1d(at, even)
    return Curve(tuple(recall[at].tolist()), tuple(precision[at].tolist()))
