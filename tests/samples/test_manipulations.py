from functools import cache

import numpy as np
import pytest

from indexer.samples import FAMILIES
from indexer.samples.camera import photograph
from indexer.samples.families import manipulate
from indexer.samples.pixels import resize
from indexer.samples.scenes import SCENES

LOCAL = ("copy-move", "inpainting", "splice", "warp")
SHAPE = (160, 192)


@cache
def picture(kind: str, seed: int):
    rng = np.random.default_rng(seed)
    return photograph(np.clip(SCENES[kind](SHAPE, rng), 0, 1), rng)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(2))
def test_the_mask_tells_what_was_touched(family, seed):
    before, donor = picture("leaves", seed), picture("hills", seed + 100)
    after, mask = manipulate(family, before, lambda: donor, np.random.default_rng(seed))
    assert after.shape == before.shape
    assert after.dtype == np.float32
    assert after.min() >= 0
    assert after.max() <= 1
    changed = np.abs(after - before).max(-1) > 1 / 255
    np.testing.assert_array_equal(after[~mask], before[~mask])
    assert changed[mask].mean() > 0.8
    assert 0.04 < mask.mean() < 0.95 if family in LOCAL else mask.all()


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_seeds_give_equal_pictures_and_others_do_not(family):
    before, donor = picture("spheres", 1), picture("blocks", 2)
    first, again, other = (
        manipulate(family, before, lambda: donor, np.random.default_rng(seed))[0]
        for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kernel", ["box", "linear", "cubic", "lanczos"])
def test_resize_keeps_constants_and_the_identity(kernel):
    rng = np.random.default_rng(0)
    values = rng.random((24, 30, 3), dtype=np.float32)
    np.testing.assert_allclose(resize(values, (24, 30), kernel), values, atol=1e-6)
    flat = np.full((24, 30), 0.25, np.float32)
    np.testing.assert_allclose(resize(flat, (17, 55), kernel), 0.25, atol=1e-6)


def test_resize_by_a_whole_factor_with_the_box_is_the_block_mean():
    values = np.random.default_rng(1).random((12, 20), dtype=np.float32)
    blocks = values.reshape(4, 3, 5, 4).mean((1, 3))
    np.testing.assert_allclose(resize(values, (4, 5), "box"), blocks, atol=1e-6)


def test_a_decoder_grid_shows_as_a_peak_in_the_spectrum():
    before, donor = picture("hills", 3), picture("page", 4)
    for seed in range(5):
        after, _ = manipulate("decoder-grid", before, lambda: donor, np.random.default_rng(seed))
        spectrum = np.abs(np.fft.fft2(after[..., 1] - after[..., 1].mean()))
        harmonics = [
            spectrum[row * SHAPE[0] // 8, column * SHAPE[1] // 8]
            for row in range(8)
            for column in range(8)
            if (row, column) != (0, 0)
        ]
        assert max(harmonics) > 20 * np.median(spectrum)


def test_a_copy_move_repeats_itself_exactly():
    before, donor = picture("leaves", 5), picture("page", 4)
    after, mask = manipulate("copy-move", before, lambda: donor, np.random.default_rng(1))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    stamped = after[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    periods = [
        period
        for period in range(24, 44)
        if period < stamped.shape[0] and np.array_equal(stamped[period:], stamped[:-period])
    ]
    assert periods
