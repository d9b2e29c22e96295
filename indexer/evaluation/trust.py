"""Do the calibrated figures hold on queries that they were not fitted on?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.calibration.annotations import Annotations, Relations
from indexer.calibration.calibration import Calibration
from indexer.calibration.comparisons import Comparisons
from indexer.calibration.estimate import Missing, clopper_pearson
from indexer.calibration.false_match import survival
from indexer.calibration.likelihood import LikelihoodRatio, cllr, minimum_cllr

Float64 = NDArray[np.float64]
RATES = (1e-2, 1e-3)
NOMINAL = (0.8, 0.9, 0.95)
MIN_IMAGES = 30


@dataclass(frozen=True, slots=True)
class RateCheck:
    """A stated false-match rate with its 95% interval [low, high] at a `similarity`, and the
    rate observed on `n` unrelated query pairs there, with the interval of that."""

    similarity: float
    stated: float
    low: float
    high: float
    observed: float
    observed_low: float
    observed_high: float
    n: int

    @property
    def holds(self) -> bool:
        """The observed rate lies within the stated interval."""
        return self.low <= self.observed <= self.high


@dataclass(frozen=True, slots=True)
class CllrCheck:
    """Cllr in bits of query pairs; None where one side has no pair. `min` is that of the best
    monotone calibration; `by_family` is over the queries of each family of 30 or more images."""

    all: float | None
    cross_source: float | None
    min: float | None
    by_family: Mapping[str, float]
    same: int
    different: int


@dataclass(frozen=True, slots=True)
class CoverageCheck:
    """How often the p-value of the true family (or of "real") exceeds 1 - `nominal`."""

    nominal: float
    fake: float | None
    real: float | None
    n_fake: int
    n_real: int


def check_rates(
    calibration: Calibration, annotations: Annotations, found: Comparisons, relations: Relations
) -> dict[str, RateCheck]:
    """Rate ("0.01") -> its check; empty without a stated rate or unrelated query pairs."""
    if isinstance(calibration.false_match, Missing) or not relations.unrelated.any():
        return {}
    pairs = relations.unrelated
    checks = {}
    for rate in RATES:
        similarity = calibration.false_match.threshold(rate)
        stated = calibration.false_match.at(similarity)
        knots = np.array([-np.inf, similarity])
        seen, effective = survival(
            found.i[pairs], found.j[pairs], found.similarity[pairs], annotations.cluster, knots
        )
        low, high = clopper_pearson(float(seen[1]), float(effective[1]))
        checks[f"{rate:g}"] = RateCheck(
            similarity,
            stated.value,
            stated.low,
            stated.high,
            float(seen[1]),
            low,
            high,
            int(pairs.sum()),
        )
    return checks


def check_cllr(
    calibration: Calibration, annotations: Annotations, found: Comparisons, relations: Relations
) -> CllrCheck | None:
    """Cllr of the stated ratios; None without a likelihood ratio or pairs of both kinds."""
    same, different = relations.same, relations.different
    if isinstance(calibration.likelihood, Missing) or not (same.any() and different.any()):
        return None
    log10 = log10_ratios(calibration.likelihood, found)
    used, cross = same | different, relations.cross_source

    def over(pairs: NDArray[np.bool_]) -> float | None:
        if not (pairs & same).any() or not (pairs & different).any():
            return None
        return cllr(log10[pairs & same], log10[pairs & different])

    family = annotations.family[found.i]
    sizes = np.bincount(annotations.family[annotations.family >= 0])
    costs = {
        name: over(family == code)
        for code, name in enumerate(annotations.families)
        if sizes[code] >= MIN_IMAGES
    }
    return CllrCheck(
        all=over(used),
        cross_source=over(cross),
        min=minimum_cllr(found.similarity[used].astype(float), same[used]),
        by_family={name: cost for name, cost in costs.items() if cost is not None},
        same=int(same.sum()),
        different=int(different.sum()),
    )


def check_coverage(
    calibration: Calibration, annotations: Annotations, found: Comparisons
) -> tuple[CoverageCheck, ...]:
    """One check per nominal coverage; empty without p-values."""
    if isinstance(calibration.conformal, Missing):
        return ()
    group, names = annotations.group[found.probes], annotations.families
    fake: list[float] = []
    real: list[float] = []
    for code, affinity in zip(group, found.affinity, strict=True):
        if code == len(names) and (p := calibration.conformal.p_real(affinity)) is not None:
            real.append(p)
        elif 0 <= code < len(names) and affinity[code] > -1:
            fake.append(calibration.conformal.p_values(names, affinity)[names[code]])
    return tuple(
        CoverageCheck(nominal, _above(fake, nominal), _above(real, nominal), len(fake), len(real))
        for nominal in NOMINAL
    )


def log10_ratios(likelihood: LikelihoodRatio, found: Comparisons) -> Float64:
    """(N,) log10 likelihood ratios of all pairs."""
    return np.interp(found.similarity, likelihood.similarity, likelihood.log10)


def _above(p_values: list[float], nominal: float) -> float | None:
    """Share of p-values above the risk 1 - nominal; rounding must not decide a tie."""
    if not p_values:
        return None
    return float(np.mean(np.array(p_values) > 1 - nominal + 1e-12))
