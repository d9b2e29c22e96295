import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from indexer.calibration.estimate import Estimate, Missing, clopper_pearson, one_in
from indexer.calibration.false_match import FalseMatch, dyadic_survival, fit_false_match, survival

ALONE = np.arange(2_000)


def all_pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(n, 1)


def test_rate_is_the_survival_function_of_the_pairs():
    i, j = all_pairs(40)
    similarity = np.random.default_rng(0).uniform(-1, 1, len(i)).astype(np.float32)
    fitted = fit_false_match(i, j, similarity, ALONE)
    assert isinstance(fitted, FalseMatch)
    for knot, rate in zip(fitted.similarity, fitted.rate, strict=True):
        assert rate == pytest.approx((similarity >= np.float32(knot)).mean())
    assert fitted.rate[0] == 1
    assert fitted.rate[-1] == pytest.approx(1 / len(i))
    assert (fitted.pairs, fitted.images) == (780, 40)


def test_rate_never_rises_with_similarity_and_its_threshold_inverts_it():
    i, j = all_pairs(60)
    similarity = np.random.default_rng(1).normal(0, 0.3, len(i)).clip(-1, 1).astype(np.float32)
    fitted = fit_false_match(i, j, similarity, ALONE)
    grid = [fitted.at(s) for s in np.linspace(-1, 1, 201)]
    assert all(a.value >= b.value for a, b in itertools.pairwise(grid))
    assert all(e.low <= e.value <= e.high for e in grid)
    for rate in (0.5, 0.1, 0.01):
        assert fitted.at(fitted.threshold(rate)).value == pytest.approx(rate)


def test_beyond_every_pair_seen_there_is_only_an_upper_bound():
    i, j = all_pairs(60)
    fitted = fit_false_match(i, j, np.linspace(-0.5, 0.5, len(i), dtype=np.float32), ALONE)
    beyond = fitted.at(0.9)
    assert (beyond.value, beyond.low) == (0, 0)
    assert beyond.high == pytest.approx(1 - 0.025 ** (1 / beyond.effective_n))
    assert beyond.text.startswith("none of 1,770 unrelated pairs (at most 1 in ")


def test_intervals_of_pairs_that_share_images_hold_what_they_promise():
    """Every image has its own shift, so the pairs of an odd image are odd together: the dyadic
    interval covers the true rate about 95% of the time, the one that counts pairs does not."""
    true = 0.05
    threshold = 1.6448536 * np.sqrt(2 * 0.09 + 0.09)
    rng = np.random.default_rng(2)
    dyadic = naive = 0
    runs, n = 200, 60
    i, j = all_pairs(n)
    for _ in range(runs):
        shift = rng.normal(0, 0.3, n)
        similarity = (shift[i] + shift[j] + rng.normal(0, 0.3, len(i))).astype(np.float32)
        rate, effective = dyadic_survival(i, j, similarity, np.array([-9.0, threshold]))
        low, high = clopper_pearson(rate[1], effective[1])
        dyadic += low <= true <= high
        low, high = clopper_pearson(rate[1], len(i))
        naive += low <= true <= high
    assert dyadic / runs > 0.90
    assert naive / runs < 0.70


def test_intervals_hold_where_families_are_alike_as_wholes():
    """Two families share a shift in all their pairs, which the images alone do not show."""
    true, threshold = 0.05, 1.6448536 * np.sqrt(2 * 0.09 + 0.09)
    rng = np.random.default_rng(4)
    family = np.repeat(np.arange(30), 4)
    i, j = all_pairs(len(family))
    i, j = i[family[i] != family[j]], j[family[i] != family[j]]
    by_family = by_image = 0
    runs = 200
    for _ in range(runs):
        shift = rng.normal(0, 0.3, 30)[family]
        similarity = (shift[i] + shift[j] + rng.normal(0, 0.3, len(i))).astype(np.float32)
        knots = np.array([-9.0, threshold])
        for sizes, counted in ((family, "family"), (np.arange(len(family)), "image")):
            rate, effective = survival(i, j, similarity, sizes, knots)
            low, high = clopper_pearson(rate[1], effective[1])
            by_family += counted == "family" and low <= true <= high
            by_image += counted == "image" and low <= true <= high
    assert by_family / runs > 0.85
    assert by_image / runs < 0.75


def test_independent_pairs_keep_their_number():
    i, j = np.arange(0, 4000, 2), np.arange(1, 4000, 2)
    similarity = np.random.default_rng(3).uniform(0, 1, 2000).astype(np.float32)
    _, effective = dyadic_survival(i, j, similarity, np.array([0.0, 0.5, 0.9]))
    assert effective == pytest.approx([2000, 2000, 2000], rel=1e-6)


def test_clopper_pearson_is_the_exact_binomial_interval():
    exact = binomtest(7, 400).proportion_ci(0.95, method="exact")
    assert clopper_pearson(7 / 400, 400) == pytest.approx((exact.low, exact.high))
    assert clopper_pearson(0, 50)[0] == 0
    assert clopper_pearson(1, 50)[1] == 1


@pytest.mark.parametrize(
    ("rate", "text"),
    [(1 / 12_034, "1 in 12,000"), (0.5, "1 in 2.0"), (1, "1 in 1.0"), (0.01, "1 in 100")],
)
def test_rates_read_as_one_in(rate, text):
    assert one_in(rate) == text


def test_an_estimate_reads_as_a_sentence():
    estimate = Estimate(1 / 12_000, 1 / 30_000, 1 / 8_000, 100_000, 40_000.0)
    assert estimate.text == "1 in 12,000 unrelated pairs (at most 1 in 8,000)"


def test_equal_similarities_and_too_few_pairs():
    i, j = all_pairs(20)
    equal = fit_false_match(i, j, np.full(len(i), 0.5, np.float32), ALONE)
    assert equal.at(0.5).value == 1
    assert equal.at(0.51).value == 0
    assert fit_false_match(i[:5], j[:5], np.zeros(5, np.float32), ALONE) == Missing(
        "needs at least 100 unrelated pairs (different family, different source) of 10 images; "
        "found 5 of 6"
    )
