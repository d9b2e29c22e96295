"""How much more often do images of one family look this alike than images of two?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from indexer.calibration.annotations import Annotations, Bool, relate
from indexer.calibration.estimate import Missing
from indexer.calibration.piecewise import interpolate
from indexer.types import Float32, Int64

Float64 = NDArray[np.float64]

MIN_FAMILIES, MIN_IMAGES = 2, 5
SOURCE_FOLDS = 5
VERBAL = (
    (2, "no support either way"),
    (10, "weak support"),
    (100, "moderate support"),
    (1_000, "moderately strong support"),
    (10_000, "strong support"),
    (1_000_000, "very strong support"),
    (np.inf, "extremely strong support"),
)
"""Upper ends of the verbal scale of the ENFSI guideline for evaluative reporting (2015)."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Cllr in bits (Brümmer and du Preez 2006): 0 is perfect, 1 says nothing, above 1 misleads.

    Measured by cross-validation over sources: no image of a tested pair's first source took
    part in the fit. `cross_source` is over pairs of two known sources; `minimum` is what the
    best monotone calibration of the same similarities would reach.
    """

    all: float
    cross_source: float | None
    minimum: float


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """Monotone steps: `log10` (k,) at ascending `similarity` (k,), within the bounds.

    It rests on `same` pairs of `families` families and `different` pairs of `images` images.
    """

    similarity: tuple[float, ...]
    log10: tuple[float, ...]
    same: int
    different: int
    families: int
    images: int
    quality: Quality | None

    def at(self, similarity: float) -> float:
        """log10 of the likelihood ratio same family : different family; rises with similarity."""
        return interpolate(similarity, self.similarity, self.log10)


def verbal(log10: float) -> str:
    """A likelihood ratio in words, for whichever of the two it supports."""
    ratio = 10 ** abs(log10)
    words = next(text for end, text in VERBAL if ratio < end)
    if ratio < VERBAL[0][0]:
        return words
    return f"{words} for {'the same family' if log10 > 0 else 'different families'}"


def odds(log10: float) -> str:
    """ "340 : 1" or "1 : 12", with two significant digits."""
    times = f"{float(f'{10 ** abs(log10):.2g}'):,g}"
    return f"{times} : 1" if log10 >= 0 else f"1 : {times}"


def cllr(log10_same: Float64, log10_different: Float64) -> float:
    """Log-likelihood-ratio cost in bits of log10 ratios where the truth is known."""
    nats = np.log(10)
    miss = np.logaddexp(0, -nats * log10_same).mean()
    alarm = np.logaddexp(0, nats * log10_different).mean()
    return float((miss + alarm) / (2 * np.log(2)))


def fit_likelihood_ratio(
    annotations: Annotations, i: Int64, j: Int64, similarity: Float32, seed: int = 0
) -> LikelihoodRatio | Missing:
    """Isotonic calibration on the pairs of images `i` (N,), `j` (N,) that are surely of one
    family or surely not.

    The two sides weigh the same and, within `same`, every family weighs the same, or the
    largest would speak for all.
    """
    sizes = np.bincount(annotations.family[annotations.family >= 0])
    large = int((sizes >= MIN_IMAGES).sum())
    relations = relate(annotations, annotations, i, j)
    same, different = relations.same, relations.different
    if large < MIN_FAMILIES or not same.any() or not different.any():
        return Missing(
            f"needs at least {MIN_FAMILIES} labelled families with {MIN_IMAGES} images each; "
            f"found {large}"
        )
    used = same | different
    pairs = _Pairs(annotations, i[used], j[used], similarity[used].astype(float), same[used])
    knots, log10 = _fit(pairs)
    return LikelihoodRatio(
        similarity=tuple(knots.tolist()),
        log10=tuple(log10.tolist()),
        same=int(same.sum()),
        different=int(different.sum()),
        families=pairs.families,
        images=pairs.images,
        quality=_cross_validate(pairs, seed),
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    annotations: Annotations
    i: Int64
    j: Int64
    similarity: Float64
    same: Bool

    def __getitem__(self, mask: Bool) -> "_Pairs":
        return _Pairs(
            self.annotations, self.i[mask], self.j[mask], self.similarity[mask], self.same[mask]
        )

    @property
    def families(self) -> int:
        return len(np.unique(self.annotations.family[self.i[self.same]]))

    @property
    def images(self) -> int:
        return len(np.union1d(self.i[~self.same], self.j[~self.same]))

    @property
    def weights(self) -> Float64:
        family = self.annotations.family[self.i]
        count = np.bincount(family[self.same])
        weight = np.full(len(self.same), 1 / max((~self.same).sum(), 1))
        weight[self.same] = 1 / (count[family[self.same]] * np.count_nonzero(count))
        return weight


def _fit(pairs: _Pairs) -> tuple[Float64, Float64]:
    """Isotonic p(same) at even priors -> log10 ratio, bounded by the rule of three.

    If none of n independent comparisons misled, up to 3/n of them still may (95%), so no ratio
    beyond n/3 is supported. Pairs are not independent: those that could mislead upwards count
    as many as the images they are made of, those that could mislead downwards as many as the
    families.
    """
    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    curve.fit(pairs.similarity, pairs.same, sample_weight=pairs.weights)
    knots, p = np.asarray(curve.X_thresholds_), np.asarray(curve.y_thresholds_)
    with np.errstate(divide="ignore"):
        log10 = np.log10(p) - np.log10(1 - p)
    return knots, np.clip(
        log10,
        -np.log10(max(pairs.families / 3, 1)),
        np.log10(max(pairs.images / 3, 1)),
    )


def _cross_validate(pairs: _Pairs, seed: int) -> Quality | None:
    """Cllr on pairs whose first image is of a source that the fit has not seen at all."""
    tested = [
        (test, np.interp(test.similarity, *_fit(train)))
        for train, test in _source_folds(pairs, seed)
        if train.same.any() and not train.same.all()
    ]
    if not tested:
        return None
    log10 = np.concatenate([ratio for _, ratio in tested])
    similarity = np.concatenate([test.similarity for test, _ in tested])
    same = np.concatenate([test.same for test, _ in tested])
    relations = [relate(t.annotations, t.annotations, t.i, t.j) for t, _ in tested]
    cross = np.concatenate([r.cross_source for r in relations])
    if same.all() or not same.any():
        return None
    return Quality(
        all=cllr(log10[same], log10[~same]),
        cross_source=(
            cllr(log10[same & cross], log10[~same & cross])
            if (same & cross).any() and (~same & cross).any()
            else None
        ),
        minimum=minimum_cllr(similarity, same),
    )


def minimum_cllr(similarity: Float64, same: Bool) -> float:
    """Cllr after the best monotone calibration (PAV) on these very pairs."""
    weight = np.where(same, 1 / same.sum(), 1 / (~same).sum())
    p = IsotonicRegression(y_min=0, y_max=1).fit_transform(similarity, same, sample_weight=weight)
    with np.errstate(divide="ignore"):
        log10 = np.log10(p) - np.log10(1 - p)
    return cllr(log10[same], log10[~same])


def _source_folds(pairs: _Pairs, seed: int) -> Iterator[tuple[_Pairs, _Pairs]]:
    source = pairs.annotations.source
    names = np.unique(source)
    fold_of = dict(
        zip(np.random.default_rng(seed).permutation(names), range(len(names)), strict=True)
    )
    fold = np.array([fold_of[s] % SOURCE_FOLDS for s in source], int)
    first, second = fold[pairs.i], fold[pairs.j]
    for number in range(min(SOURCE_FOLDS, len(names))):
        yield pairs[(first != number) & (second != number)], pairs[first == number]
