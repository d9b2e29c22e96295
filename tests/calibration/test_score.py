import itertools

import numpy as np
import pytest
from planted import planted

from indexer.calibration import Annotations, Missing, OperatingPoint
from indexer.calibration.score import fit_score


def annotated(labels):
    nothing = [None] * len(labels)
    return Annotations.of(labels, nothing, nothing)


def test_platt_scaling_recovers_the_log_odds_it_was_planted_with():
    """Log-odds are normal around +-m with deviation s: at even priors p = sigmoid(2m/s^2 z)."""
    gallery = planted(0, families=30, members=100, reals=3000)
    fitted = fit_score(annotated(gallery.labels), gallery.scores)
    assert fitted.slope == pytest.approx(2 * 1.5 / 1.5**2, rel=0.05)
    assert fitted.intercept == pytest.approx(0, abs=0.1)
    assert (fitted.real, fitted.fake) == (3000, 3000)
    rising = [fitted.probability(s) for s in np.linspace(0, 1, 101)]
    assert all(a <= b for a, b in itertools.pairwise(rising))


def test_thresholds_let_at_most_their_share_of_real_images_pass():
    real = np.linspace(0, 0.999, 1000, dtype=np.float32)
    scores = np.concatenate([real, np.ones(40, np.float32)])
    fitted = fit_score(annotated(["real"] * 1000 + ["fake"] * 40), scores)
    assert [(real >= p.threshold).sum() for p in fitted.points] == [9, 49]  # k - 1 of k = 10, 50
    assert [p.false_alarm for p in fitted.points] == [0.01, 0.05]


def test_false_alarms_of_new_real_images_stay_at_the_stated_rate():
    rng = np.random.default_rng(1)
    alarms = [
        (rng.uniform(size=200) >= fit_score(annotated(["real"] * 199), first).points[1].threshold)
        for first in rng.uniform(size=(300, 199)).astype(np.float32)
    ]
    assert np.mean(alarms) == pytest.approx(0.05, abs=0.005)


def test_few_real_images_leave_the_registry_its_operating_point():
    known = OperatingPoint(0.05, 0.0234, "the checkpoint's card")
    fitted = fit_score(annotated(["real"] * 5), np.linspace(0, 1, 5, dtype=np.float32), [known])
    assert fitted.points == (known,)
    assert fitted.probability(0.9) == Missing(
        "needs at least 30 labelled real and fake images; found 5 and 0"
    )


def test_a_score_that_falls_with_fakeness_is_not_turned_round():
    gallery = planted(2)
    fitted = fit_score(annotated(gallery.labels), 1 - gallery.scores)
    assert fitted.probability(0.5) == Missing(
        "fakes of this gallery do not score higher than its real images"
    )


def test_no_head_no_score():
    assert fit_score(annotated(["real"]), None) == Missing("the checkpoint has no real/fake head")
