"""How often are two images this alike that have nothing to do with each other?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.calibration.estimate import Estimate, Missing, clopper_pearson
from indexer.calibration.piecewise import interpolate, place
from indexer.types import Float32, Int64

MIN_PAIRS, MIN_IMAGES = 100, 10
STEPS_PER_DECADE = 20
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FalseMatch:
    """The survival function of unrelated similarities, at ascending `similarity` (k,) knots.

    `rate` (k,) is the share of the `pairs` sampled pairs at least that similar, `effective`
    (k,) the number of independent pairs that would say as much; `images` took part.
    """

    similarity: tuple[float, ...]
    rate: tuple[float, ...]
    effective: tuple[float, ...]
    pairs: int
    images: int

    def at(self, similarity: float) -> Estimate:
        """The false-match rate of a similarity; never rises with it.

        Log-linear between knots; 0 with an upper bound beyond the most similar pair seen.
        """
        if similarity > self.similarity[-1]:
            rate, effective = 0.0, self.effective[-1]
        else:
            left, right, share = place(similarity, self.similarity)
            rate = self.rate[left] * (self.rate[right] / self.rate[left]) ** share
            effective = interpolate(similarity, self.similarity, self.effective)
        low, high = clopper_pearson(rate, effective)
        return Estimate(rate, low, high, self.pairs, effective)

    def threshold(self, rate: float) -> float:
        """The similarity whose stated rate is `rate`; the last knot where none is so rare."""
        logs = np.log(self.rate[::-1])
        return float(np.interp(np.log(rate), logs, self.similarity[::-1]))


def fit_false_match(
    i: Int64, j: Int64, similarity: Float32, cluster: Int64
) -> FalseMatch | Missing:
    """Count on unrelated pairs of images `i` (N,), `j` (N,) with their `similarity` (N,);
    `cluster` (n,) is of all images."""
    images = len(np.unique(np.concatenate([i, j])))
    if len(similarity) < MIN_PAIRS or images < MIN_IMAGES:
        return Missing(
            f"needs at least {MIN_PAIRS} unrelated pairs (different family, different source) "
            f"of {MIN_IMAGES} images; found {len(similarity)} of {images}"
        )
    pairs = len(similarity)
    decades = np.log10(pairs)
    levels = np.logspace(0, -decades, int(np.ceil(decades * STEPS_PER_DECADE)) + 1)
    ranks = np.clip(np.rint(levels * pairs).astype(int), 1, pairs)
    knots = np.unique(np.sort(similarity)[pairs - ranks].astype(float))
    rate, effective = survival(i, j, similarity, cluster, knots)
    return FalseMatch(
        tuple(knots.tolist()), tuple(rate.tolist()), tuple(effective.tolist()), pairs, images
    )


def survival(
    i: Int64, j: Int64, similarity: Float32, cluster: Int64, knots: Float64
) -> tuple[Float64, Float64]:
    """Share of pairs at least as similar as each knot (k,), and its effective sample size (k,).

    Which families and sources a gallery happens to hold moves the share more than which
    images of them: two families that look alike are alike in all their pairs. The size is
    that of the images or of the `cluster`s (n,), whichever says less.
    """
    rate, images = dyadic_survival(i, j, similarity, knots)
    return rate, np.minimum(images, dyadic_survival(cluster[i], cluster[j], similarity, knots)[1])


def dyadic_survival(
    i: Int64, j: Int64, similarity: Float32, knots: Float64
) -> tuple[Float64, Float64]:
    """Share of pairs at least as similar as each knot (k,), and its effective sample size (k,).

    Two pairs that share a unit `i` or `j` (N,) are correlated (one odd image is odd in all its
    pairs), so N pairs say less than N independent draws. The variance is the dyadic-robust one
    (Fafchamps and Gubert 2007; Aronow, Samii and Assenova 2015): with c_a the sum of the
    residuals of all pairs of unit a, and c_ab that of a and b, V = (sum c_a^2 - sum c_ab^2) /
    N^2, never below the binomial one. The effective size is r(1-r)/V; above the last knot with
    ten hits it stays what it was there.
    """
    pairs, k = len(similarity), len(knots)
    both = np.concatenate([i, j])
    names, image = np.unique(both, return_inverse=True)
    level = np.searchsorted(knots, similarity, side="right") - 1
    cells = np.bincount(image * k + np.tile(level, 2), minlength=len(names) * k).reshape(-1, k)
    hits = np.cumsum(cells[:, ::-1], axis=1)[:, ::-1].astype(float)
    rate = hits.sum(axis=0) / (2 * pairs)
    residual = hits - hits[:, :1] * rate
    binomial = rate * (1 - rate) / pairs
    counted_twice = _squares_of_dyads(np.sort([i, j], axis=0), similarity, knots, rate)
    variance = np.maximum(((residual**2).sum(axis=0) - counted_twice) / pairs**2, binomial)
    effective = np.divide(
        rate * (1 - rate), variance, out=np.full(k, float(pairs)), where=variance > 0
    )
    enough = int(np.flatnonzero(rate * pairs >= 10)[-1])
    effective[enough + 1 :] = effective[enough]
    return rate, effective


def _squares_of_dyads(units: Int64, similarity: Float32, knots: Float64, rate: Float64) -> Float64:
    """(k,) sums over the dyads {a, b} of `units` (2, N) of their squared residual sums."""
    dyad = np.unique(units[0] * (units[1].max() + 1) + units[1], return_inverse=True)[1]
    if dyad.max() + 1 == len(dyad):  # every dyad once, as with images
        return len(dyad) * rate * (1 - rate)
    sums = (
        np.bincount(dyad, weights=(similarity >= knot) - share)
        for knot, share in zip(knots, rate, strict=True)
    )
    return np.array([(dyad_sum**2).sum() for dyad_sum in sums])
