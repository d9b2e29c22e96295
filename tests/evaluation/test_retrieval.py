import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from indexer.calibration import Annotations, HeldOut
from indexer.evaluation.measured import Measured
from indexer.evaluation.retrieval import average_precision, look_up
from indexer.evaluation.shots import rank_1


def on_a_circle(degrees: list[float]) -> np.ndarray:
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def test_a_ranking_by_hand():
    """The query (row 0, family a, source s) sees, by falling similarity: a, real, b, a, b."""
    view = HeldOut(np.array([0]), on_a_circle([0, 10, 20, 30, 40, 50]))
    annotations = Annotations.of(
        ["fake", "fake", "real", "fake", "fake", "fake"],
        ["a", "a", None, "b", "a", "b"],
        ["s", "s", "s", "s", "t", "t"],
    )
    found = look_up(view, annotations)
    assert found.row.tolist() == [0]
    assert found.p_at_1.tolist() == [1]
    assert found.p_at_10.tolist() == [2 / 10]
    assert found.average_precision == pytest.approx([(1 / 1 + 2 / 4) / 2])
    assert np.isnan(found.cross_source_p_at_10).all()  # one image of a is left, five are due
    weight = np.exp(np.cos(np.radians([10, 20, 30, 40, 50])) / 0.07)
    assert found.fake_share == pytest.approx([1 - weight[1] / weight.sum()], rel=1e-4)
    assert found.nearest.tolist() == [0]


def test_cross_source_drops_the_querys_own_source():
    """Without the three nearest (own source), the six of family a come after one of b."""
    view = HeldOut(np.array([0]), on_a_circle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
    annotations = Annotations.of(
        ["fake"] * 11,
        ["a", "a", "a", "a", "b", *["a"] * 6],
        ["s", "s", "s", "s", *["t"] * 7],
    )
    assert look_up(view, annotations).cross_source_p_at_10.tolist() == [6 / 10]


def test_average_precision_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    relevant = rng.random((30, 50)) < 0.2
    falling = -np.arange(50)
    expected = [average_precision_score(row, falling) for row in relevant]
    assert average_precision(relevant) == pytest.approx(expected)


def test_auc_is_that_of_scikit_learn_and_its_interval_holds_it():
    rng = np.random.default_rng(1)
    positive, negative = rng.integers(0, 9, 80) / 8, rng.integers(0, 6, 60) / 8
    auc = Measured.auc(positive, negative, 0)
    truth = np.r_[np.ones(80), np.zeros(60)]
    assert auc.value == pytest.approx(roc_auc_score(truth, np.r_[positive, negative]))
    assert auc.low < auc.value < auc.high
    assert auc.n == 140
    assert Measured.auc(positive, negative, 0) == auc


def test_bootstrap_interval_of_a_mean_is_about_the_normal_one():
    values = np.random.default_rng(2).normal(3, 1, 400)
    mean = Measured.mean(np.append(values, np.nan), 0)
    half = 1.96 * values.std() / 20
    assert (mean.value, mean.n) == (pytest.approx(values.mean()), 400)
    assert (mean.low, mean.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.02
    )


def test_nothing_to_measure_on():
    assert Measured.mean(np.array([np.nan]), 0) == Measured(None, None, None, 0)
    assert Measured.auc(np.ones(9), np.zeros(4), 0) == Measured(None, None, None, 13)


def test_rank_1_with_every_example_is_the_nearest_neighbour():
    """With all three images of each family as examples there is nothing left to draw."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((16, 4)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    families = ["a", "b"] * 5 + ["a"] * 3 + ["b"] * 3
    annotations = Annotations.of(["fake"] * 16, families, [None] * 16)
    found = rank_1(HeldOut(np.arange(10), x), annotations, 3, seed=0)
    nearest = 10 + (x[:10] @ x[10:].T).argmax(axis=1)
    assert found.tolist() == [float(families[q] == families[n]) for q, n in enumerate(nearest)]
    assert len(rank_1(HeldOut(np.arange(10), x), annotations, 4, seed=0)) == 0
