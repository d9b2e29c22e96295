"""A measured figure with its bootstrap interval."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
RESAMPLES = 1_000
TAILS = (0.025, 0.975)
MIN_SIDE = 5
"""An AUC of fewer positives or negatives means nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`value` with the 95% percentile interval of a bootstrap over the `n` queries; all None
    where there was nothing to measure on."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    @classmethod
    def mean(cls, values: Float64, seed: int) -> Self:
        """The mean over queries (n,); NaN marks queries that the figure is not about."""
        values = values[~np.isnan(values)]
        if not len(values):
            return cls(None, None, None, 0)
        low, high = np.quantile(_resamples(len(values), seed) @ values / len(values), TAILS)
        return cls(float(values.mean()), float(low), float(high), len(values))

    @classmethod
    def auc(cls, positive: Float64, negative: Float64, seed: int) -> Self:
        """Probability that a positive exceeds a negative, ties counting half (Mann-Whitney)."""
        n = len(positive) + len(negative)
        if min(len(positive), len(negative)) < MIN_SIDE:
            return cls(None, None, None, n)
        wins = np.sign(positive[:, None] - negative[None]) / 2 + 0.5
        value = wins.mean()
        left = _resamples(len(positive), seed)
        right = _resamples(len(negative), seed + 1)
        drawn = ((left @ wins) * right).sum(axis=1) / len(positive) / len(negative)
        low, high = np.quantile(drawn, TAILS)
        return cls(float(value), float(low), float(high), n)


def _resamples(n: int, seed: int) -> Float64:
    """(RESAMPLES, n) how often each query is drawn in each resample."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(float)
