"""A figure with its interval, or the reason why there is none."""

from dataclasses import dataclass

from scipy.special import betaincinv

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that there is too little for, and why, in plain words."""

    reason: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate with its two-sided 95% interval.

    `n` is the number of pairs it was counted on, `effective_n` the number of independent ones
    that say as much: pairs that share an image are not independent.
    """

    value: float
    low: float
    high: float
    n: int
    effective_n: float

    @property
    def text(self) -> str:
        """ "1 in 12,000 unrelated pairs", or "fewer than ..." (the upper bound) where none was
        as similar."""
        if self.value == 0:
            return f"none of {self.n:,} unrelated pairs (at most {one_in(self.high)})"
        return f"{one_in(self.value)} unrelated pairs (at most {one_in(self.high)})"


def one_in(rate: float) -> str:
    """ "1 in 12,000" with two significant digits; `rate` in (0, 1]."""
    times = 1 / rate
    return f"1 in {times:.1f}" if times < 9.95 else f"1 in {int(float(f'{times:.2g}')):,}"


def clopper_pearson(rate: float, n: float) -> tuple[float, float]:
    """The exact two-sided 95% interval of `rate` seen on `n` independent trials.

    `n` need not be whole: with the effective sample size this is the interval of Korn and
    Graubard (1998) for clustered samples.
    """
    tail = (1 - CONFIDENCE) / 2
    hits = rate * n
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high
