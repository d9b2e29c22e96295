"""The checkpoint's own score, calibrated on labelled images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from indexer.calibration.annotations import Annotations
from indexer.calibration.estimate import Missing
from indexer.types import Float32

MIN_PER_LABEL = 30
FALSE_ALARMS = (0.01, 0.05)
EPSILON = 1e-7
"""Scores are kept this far from 0 and 1, about where float32 saturates."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The score from which on at most `false_alarm` of real images are called fake.

    `basis` says in words what it was measured on.
    """

    false_alarm: float
    threshold: float
    basis: str


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """Platt scaling of the score's log-odds at even priors, and operating points.

    `slope` and `intercept` are None where the gallery cannot support them, with the `reason`;
    the operating points are then those known of the checkpoint, if any.
    """

    slope: float | None
    intercept: float | None
    reason: str
    points: tuple[OperatingPoint, ...]
    real: int
    fake: int

    def probability(self, score: float) -> float | Missing:
        """p(fake) in [0, 1] if real and fake were equally likely beforehand."""
        if self.slope is None or self.intercept is None:
            return Missing(self.reason)
        return float(expit(self.slope * _log_odds(score) + self.intercept))

    def point(self, false_alarm: float) -> OperatingPoint | None:
        """The operating point for a false-alarm rate, if there is one."""
        return next((p for p in self.points if p.false_alarm == false_alarm), None)


def fit_score(
    annotations: Annotations, scores: Float32 | None, known: Sequence[OperatingPoint] = ()
) -> ScoreCalibration | Missing:
    """Fit on the labelled images; `scores` (n,) float32 p(fake) of the checkpoint, NaN where
    an image has none, or None for a checkpoint without a head."""
    if scores is None:
        return Missing("the checkpoint has no real/fake head")
    usable = (annotations.fake >= 0) & np.isfinite(scores)
    fake, score = annotations.fake[usable], scores[usable].astype(float)
    counts = {"real": int((fake == 0).sum()), "fake": int((fake == 1).sum())}
    points = _points(score[fake == 0], known)
    if min(counts.values()) < MIN_PER_LABEL:
        reason = (
            f"needs at least {MIN_PER_LABEL} labelled real and fake images; "
            f"found {counts['real']} and {counts['fake']}"
        )
        return ScoreCalibration(None, None, reason, points, **counts)
    model = LogisticRegression(C=1e3, class_weight="balanced")
    model.fit(_log_odds(score)[:, None], fake)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope <= 0:
        reason = "fakes of this gallery do not score higher than its real images"
        return ScoreCalibration(None, None, reason, points, **counts)
    return ScoreCalibration(slope, intercept, "", points, **counts)


def _points(
    real: NDArray[np.float64], known: Sequence[OperatingPoint]
) -> tuple[OperatingPoint, ...]:
    """For each rate, the gallery's own threshold where its reals suffice, else the known one.

    The threshold is the smallest score above which, by exchangeability, a new real image falls
    with at most that probability: one float32 step above the k-th largest,
    k = floor(rate (n + 1)).
    """
    points = {p.false_alarm: p for p in known}
    ranked = np.sort(real)[::-1]
    for rate in FALSE_ALARMS:
        allowed = int(rate * (len(ranked) + 1) + 1e-9)
        if allowed >= 1:
            threshold = float(np.nextafter(np.float32(ranked[allowed - 1]), np.float32(2)))
            points[rate] = OperatingPoint(
                rate, threshold, f"{len(ranked)} real images of this gallery"
            )
    return tuple(points[rate] for rate in sorted(points))


def _log_odds(score: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(score, EPSILON, 1 - EPSILON)))
