import itertools

import numpy as np
import pytest
from planted import planted

from indexer.calibration import Missing, verbal
from indexer.calibration.annotations import Annotations
from indexer.calibration.likelihood import cllr, fit_likelihood_ratio, minimum_cllr


def pairs(gallery):
    annotations = Annotations.of(gallery.labels, gallery.families, gallery.sources)
    i, j = np.triu_indices(len(annotations), 1)
    similarity = (gallery.descriptors[i] * gallery.descriptors[j]).sum(axis=1)
    return annotations, i, j, similarity


def test_cllr_of_ratios_computed_by_hand():
    """Same pairs at 4 and 1, a different pair at 1/3: (mean(log2 1.25, log2 2) + log2 4/3) / 2."""
    by_hand = ((np.log2(1.25) + 1) / 2 + np.log2(4 / 3)) / 2
    assert cllr(np.log10([4.0, 1.0]), np.log10([1 / 3])) == pytest.approx(by_hand)


def test_cllr_of_a_silent_a_perfect_and_a_misleading_system():
    silent = np.zeros(5)
    assert cllr(silent, silent) == pytest.approx(1)
    assert cllr(np.full(3, 30.0), np.full(3, -30.0)) == pytest.approx(0, abs=1e-9)
    assert cllr(np.full(3, -1.0), np.full(3, 1.0)) == pytest.approx(np.log2(11))


def test_minimum_cllr_is_zero_for_separated_and_one_for_equal_similarities():
    same = np.array([True, True, False, False])
    assert minimum_cllr(np.array([0.9, 0.8, 0.2, 0.1]), same) == pytest.approx(0)
    assert minimum_cllr(np.full(4, 0.5), same) == pytest.approx(1)
    # one pair of each on each side of the middle: pooled to 1/2 in both, so nothing is said
    assert minimum_cllr(np.array([0.9, 0.1, 0.9, 0.1]), same) == pytest.approx(1)


def test_ratio_rises_with_similarity_and_stays_within_what_the_sample_supports():
    fitted = fit_likelihood_ratio(*pairs(planted(0)))
    grid = [fitted.at(s) for s in np.linspace(-1, 1, 201)]
    assert all(a <= b for a, b in itertools.pairwise(grid))
    assert grid[0] == pytest.approx(-np.log10(8 / 3))
    assert grid[-1] == pytest.approx(np.log10(440 / 3))
    assert (fitted.families, fitted.images) == (8, 440)
    assert fitted.same == 8 * 40 * 39 // 2


def test_cross_validated_cllr_predicts_the_cllr_of_new_images():
    both = planted(1, members=80, reals=240)
    rows = np.random.default_rng(1).permutation(len(both.labels))
    fitted = fit_likelihood_ratio(*pairs(both.split(rows[::2])))
    annotations, i, j, similarity = pairs(both.split(rows[1::2]))
    same = (annotations.family[i] == annotations.family[j]) & (annotations.family[i] >= 0)
    different = (annotations.source[i] != annotations.source[j]) & ~same
    ratio = np.interp(similarity, fitted.similarity, fitted.log10)
    assert fitted.quality.minimum <= fitted.quality.all < 1
    assert cllr(ratio[same], ratio[different]) == pytest.approx(fitted.quality.all, abs=0.05)


def test_similarities_that_mean_nothing_say_nothing():
    annotations, i, j, _ = pairs(planted(2))
    noise = np.random.default_rng(2).uniform(0, 1, len(i)).astype(np.float32)
    fitted = fit_likelihood_ratio(annotations, i, j, noise)
    assert fitted.quality.all == pytest.approx(1, abs=0.02)
    assert abs(fitted.at(0.5)) < 0.05


def test_one_family_is_too_few():
    assert fit_likelihood_ratio(*pairs(planted(3, families=1))) == Missing(
        "needs at least 2 labelled families with 5 images each; found 1"
    )


def test_without_sources_there_is_a_ratio_of_unknown_quality():
    gallery = planted(4, reals=0)
    gallery.sources[:] = [None] * len(gallery.sources)
    assert fit_likelihood_ratio(*pairs(gallery)).quality is None


@pytest.mark.parametrize(
    ("log10", "words"),
    [
        (0.0, "no support either way"),
        (0.5, "weak support for the same family"),
        (-1.5, "moderate support for different families"),
        (2.5, "moderately strong support for the same family"),
        (9.0, "extremely strong support for the same family"),
    ],
)
def test_verbal_scale(log10, words):
    assert verbal(log10) == words
