"""Quantised, selected, projected, matched and placed: laws, oracles and known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.patches import (
    best_matches,
    distinct,
    fit_patches,
    place,
    quantised,
    restored,
    weights,
)


def unit(rng, *shape):
    x = rng.standard_normal(shape).astype(np.float32)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def boxes_at(centres, edge=14.0):
    """Square patches around centres (..., 2)."""
    return np.concatenate([centres - edge / 2, centres + edge / 2], axis=-1).astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_a_quantised_token_is_within_half_a_step(seed, size):
    tokens = size * np.random.default_rng(seed).standard_normal((7, 24)).astype(np.float32)
    kept = quantised(tokens, np.zeros((7, 4)))
    step = np.abs(tokens).max(axis=1, keepdims=True) / 127
    assert kept.codes.dtype == np.int8
    assert np.abs(kept.codes).max(axis=1).tolist() == [127] * 7
    assert (np.abs(restored(kept) - tokens) <= step * 0.5001).all()


def test_nothing_stays_nothing():
    kept = quantised(np.zeros((2, 5), np.float32), np.zeros((2, 4)))
    np.testing.assert_array_equal(restored(kept), np.zeros((2, 5)))
    assert len(restored(quantised(np.zeros((0, 5), np.float32), np.zeros((0, 4))))) == 0


def test_an_image_of_one_texture_keeps_what_is_not_of_it():
    rng = np.random.default_rng(0)
    texture, neutral = rng.standard_normal((2, 32)).astype(np.float32)
    tokens = neutral + texture + 0.1 * rng.standard_normal((100, 32)).astype(np.float32)
    odd = np.array([3, 40, 41, 77])
    tokens[odd] = neutral + rng.standard_normal((4, 32)).astype(np.float32)
    np.testing.assert_array_equal(distinct(tokens, neutral, 4), odd)
    np.testing.assert_array_equal(distinct(tokens, neutral, 100), np.arange(100))


def test_a_shift_that_all_tokens_share_changes_nothing():
    rng = np.random.default_rng(1)
    tokens = rng.standard_normal((50, 16)).astype(np.float32)
    shift = 3 * rng.standard_normal(16).astype(np.float32)
    zero = np.zeros(16, np.float32)
    np.testing.assert_array_equal(distinct(tokens + shift, shift, 9), distinct(tokens, zero, 9))


def test_the_projection_whitens():
    rng = np.random.default_rng(2)
    mixing = rng.standard_normal((200, 200)).astype(np.float32)
    tokens = 5 + rng.standard_normal((3000, 200)).astype(np.float32) @ mixing
    projection = fit_patches(tokens)
    raw = (tokens - projection.mean) @ projection.axes
    covariance = np.cov(raw, rowvar=False)
    assert projection.dim == 128
    np.testing.assert_allclose(covariance, np.eye(128), atol=0.05)
    norms = np.linalg.norm(projection.apply(tokens), axis=1)
    np.testing.assert_allclose(norms, np.ones(3000), atol=1e-5)


def test_a_projection_of_nothing_and_one_read_back(tmp_path):
    tokens = unit(np.random.default_rng(3), 40, 8)
    for fitted in (fit_patches(tokens[:1]), fit_patches(tokens)):
        fitted.save(tmp_path / "p.safetensors")
        read = type(fitted).load(tmp_path / "p.safetensors")
        np.testing.assert_array_equal(read.apply(tokens), fitted.apply(tokens))
    still = fit_patches(tokens)
    np.testing.assert_array_equal(still.apply(still.mean[None])[0], np.eye(8)[0])


@pytest.mark.parametrize("counts", [(5, 5, 5), (1, 4, 7)])
def test_best_matches_are_those_of_a_loop(counts):
    rng = np.random.default_rng(4)
    query, vectors = unit(rng, 6, 16), unit(rng, sum(counts), 16)
    starts = np.cumsum([0, *counts[:-1]])
    match = best_matches(query, vectors, starts)
    for image, (start, count) in enumerate(zip(starts, counts, strict=True)):
        for token in range(6):
            similarity = vectors[start : start + count] @ query[token]
            assert match.rows[image, token] == start + similarity.argmax()
            assert match.similarity[image, token] == pytest.approx(similarity.max(), abs=1e-6)
    np.testing.assert_allclose(match.max_sim, match.similarity.mean(axis=1))


def test_weights_start_at_the_usual():
    usual = np.array([0.2, 0.9, 1.0], np.float32)
    similarity = np.array([[0.2, 0.95, 1.0], [1.0, 0.5, 0.9]], np.float32)
    np.testing.assert_allclose(weights(similarity, usual), [[0, 0.5, 0], [1, 0, 0]], atol=1e-5)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from((0.5, 0.7, 1.0, 1.4)),
    st.floats(-300, 300),
    st.floats(-300, 300),
    st.floats(0, 0.3),
)
def test_a_region_is_placed_where_it_was_moved(seed, scale, x, y, wrong):
    """With up to 30% of the matches anywhere, the box found overlaps the true one."""
    rng = np.random.default_rng(seed)
    grid = 14.0 * np.stack(np.meshgrid(np.arange(6), np.arange(6)), -1).reshape(-1, 2)
    there = scale * grid + (x, y) + rng.uniform(-4, 4, grid.shape)
    astray = rng.random(36) < wrong
    there[astray] = rng.uniform(-500, 500, (astray.sum(), 2))
    found = place(boxes_at(grid), boxes_at(there[None]), np.full((1, 36), 0.5, np.float32))
    region = np.array([0, 0, 70, 70], np.float32)
    expected = scale * region + (x, y, x, y)
    np.testing.assert_allclose(found.box(0, region), expected, atol=18)
    assert 0.08 < found.agreement[0] <= 0.5


def test_matches_without_a_common_place_agree_less():
    rng = np.random.default_rng(5)
    grid = 14.0 * np.stack(np.meshgrid(np.arange(6), np.arange(6)), -1).reshape(-1, 2)
    there = np.stack([grid + 50, rng.uniform(0, 224, grid.shape)])
    weight = np.full((2, 36), 0.8, np.float32)
    agreement = place(boxes_at(grid), boxes_at(there), weight).agreement
    assert agreement[0] > 2.5 * agreement[1]
