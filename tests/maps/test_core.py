"""The pure core of maps, against brute force, laws and hand-computed values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.maps import at_random, attribution, judge, rollout, strongest, what_matched, windows

grids = st.tuples(st.integers(1, 40), st.integers(1, 40))


def unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, 5)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_best_match_of_each_patch_either_way() -> None:
    here, there = unit(7, 0), unit(4, 1)
    on_here, on_there = what_matched(here, there)
    np.testing.assert_allclose(on_here, [max(a @ b for b in there) for a in here], rtol=1e-6)
    np.testing.assert_allclose(on_there, [max(a @ b for a in here) for b in there], rtol=1e-6)
    assert what_matched(here, here)[0].max() <= 1


@given(grids)
def test_windows_cover_every_patch_and_stay_few(grid: tuple[int, int]) -> None:
    masks = windows(grid)
    assert masks.shape[1:] == grid
    assert masks.any(axis=0).all()
    assert len(masks) <= 64
    assert len({mask.tobytes() for mask in masks}) == len(masks)


def test_attribution_is_the_mean_over_the_windows_of_a_patch() -> None:
    masks = windows((8, 8))
    fall = np.random.default_rng(0).normal(size=len(masks)).astype(np.float32)
    found = attribution(masks, fall)
    for row, column in ((0, 0), (3, 5), (7, 7)):
        mean = fall[masks[:, row, column]].mean()
        assert found[row, column] == pytest.approx(mean, rel=1e-5)


def test_attribution_finds_the_part_that_matters() -> None:
    masks, weights = windows((16, 16)), np.zeros((16, 16), np.float32)
    weights[4:8, 10:14] = 1
    found = attribution(masks, (masks * weights).sum(axis=(1, 2)))
    assert (strongest(found, 16 / 256) == (weights == 1)).all()


def test_rollout_is_the_product_of_the_layers() -> None:
    attention = np.random.default_rng(0).random((3, 6, 6)).astype(np.float32)
    attention /= attention.sum(axis=2, keepdims=True)
    product = np.eye(6)
    for layer in attention:
        product = (np.eye(6) + layer) / 2 @ product
    np.testing.assert_allclose(rollout(attention), product[0, 1:], rtol=1e-5)


def test_the_strongest_patches_and_of_equal_ones_the_first() -> None:
    values = np.array([[1, 5, 5], [5, 0, 9]], np.float32)
    assert strongest(values, 0.5).tolist() == [[False, True, True], [False, False, True]]
    assert strongest(values, 0.01).sum() == 1


@given(grids, st.floats(0, 1))
def test_chance_takes_as_many_patches_and_always_the_same(
    grid: tuple[int, int], share: float
) -> None:
    masks = at_random(grid, share, 3)
    count = strongest(np.zeros(grid, np.float32), share).sum()
    assert masks.sum(axis=(1, 2)).tolist() == [count] * 3
    assert (masks == at_random(grid, share, 3)).all()


def test_a_map_is_judged_against_chance() -> None:
    draws = np.array([0.1, 0.2, 0.3, 0.4] * 6, np.float32)
    best = judge(0.1, 0.5, draws)
    assert (best.effect, best.draws, best.p_value, best.better) == (0.5, 24, 1 / 25, True)
    assert best.by_chance == pytest.approx(0.25)
    assert judge(0.1, 0.35, draws).p_value == 7 / 25
    assert not judge(0.1, 0.35, draws).better
    assert judge(0.1, -1, draws).p_value == 1
