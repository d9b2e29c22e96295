import numpy as np
import pytest

from indexer.calibration import Annotations, Missing
from indexer.calibration.comparisons import Comparisons
from indexer.calibration.familiarity import familiarity, fit_familiarity, usual_affinity


def compared(affinity) -> Comparisons:
    none = np.empty(0, np.int64)
    rows = np.arange(len(affinity))
    return Comparisons(none, none, np.empty(0, np.float32), rows, np.array(affinity, np.float32))


def fakes(*families) -> Annotations:
    return Annotations.of(["fake"] * len(families), families, [None] * len(families))


def test_few_members_borrow_from_all():
    annotations = fakes("a", "a", "a", "b")
    affinity = [[0.8, 0, 0], [0.6, 0, 0], [0.7, 0, 0], [0, 0.3, 0]]
    usual = usual_affinity(annotations, compared(affinity))
    assert usual == pytest.approx([(2.1 + 20 * 0.6) / 23, (0.3 + 20 * 0.6) / 21])


def test_a_member_that_was_compared_with_none_of_its_family_says_nothing():
    affinity = [[0.8, 0, 0], [-1, 0.9, 0]]
    usual = usual_affinity(fakes("a", "a"), compared([row[:1] + row[2:] for row in affinity]))
    assert usual == pytest.approx([0.8])


def test_it_counts_from_what_is_usual_and_takes_reals_and_empty_families_for_none():
    affinity = np.array([[0.5, 0.4, -1, 0.9], [0.1, 0.2, -1, 0.9]], np.float32)
    found = familiarity(affinity, np.array([0.6, 0.1, -5.0]))
    assert found == pytest.approx([0.3, 0.1])


def test_p_known_is_calibrated_for_members_and_small_for_strangers():
    rng = np.random.default_rng(0)
    names = ["tight"] * 200 + ["loose"] * 200
    own = np.r_[rng.normal(0.8, 0.05, 200), rng.normal(0.4, 0.05, 200)]
    affinity = np.full((400, 3), 0.1)
    affinity[np.arange(400), [1] * 200 + [0] * 200] = own
    fitted = fit_familiarity(fakes(*names), compared(affinity))
    new = rng.normal(0.4, 0.05, 500)
    p = [fitted.p_known(("loose", "tight"), np.array([a, 0.1, 0.0], np.float32)) for a in new]
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.05)
    stranger = np.array([0.1, 0.6, 0.0], np.float32)  # near the tight one, but not as its own
    assert fitted.p_known(("loose", "tight"), stranger) < 0.01


def test_too_few_fakes_give_a_reason():
    assert fit_familiarity(fakes("a", "a"), compared([[0.5, 0]] * 2)) == Missing(
        "needs at least 20 fakes of families with 2 or more images; found 2"
    )
