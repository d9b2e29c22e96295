"""The residual view, against a computation by hand."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from indexer.images.recipe import Recipe
from indexer.images.residual import residual

RECIPE = Recipe(resize=40, resample="bicubic", crop=(32, 32), mean=(0, 0, 0), std=(1, 1, 1))


def noise(height, width):
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def levels(rgb):
    return residual(rgb, RECIPE).transpose(1, 2, 0) * 255


def test_it_is_what_a_gaussian_blur_takes_away_four_times_as_strong():
    rgb = np.random.default_rng(3).integers(112, 144, (50, 64, 3), dtype=np.uint8)
    part = rgb[9:41, 16:48].astype(float)
    coarse = np.stack(
        [gaussian_filter(part[..., c], 1.5, mode="nearest") for c in range(3)], axis=-1
    )
    expected = np.clip(128 + 4 * (part - coarse), 0, 255)
    # Pillow approximates the Gaussian by boxes and rounds it, and the gain is four.
    assert np.abs(levels(rgb) - expected).mean() < 4
    assert levels(rgb).std() > 20


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (31, 33), (32, 32), (7, 90)])
def test_every_size_comes_out_as_the_model_wants_it(size):
    assert residual(noise(*size), RECIPE).shape == (3, 32, 32)


def test_only_the_centre_at_native_resolution_matters():
    rgb = noise(80, 100)
    framed = noise(200, 300) // 2
    framed[60:140, 100:200] = rgb
    np.testing.assert_array_equal(residual(rgb, RECIPE), residual(framed, RECIPE))


def test_a_flat_image_is_grey():
    np.testing.assert_allclose(levels(np.full((64, 64, 3), 200, np.uint8)), 128)
